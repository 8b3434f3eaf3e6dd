// What makes the report a page to work with. Without it everything but the treemap is still there.
import { charts } from "./charts.js";
import { picture } from "./picture.js";
import { tables } from "./tables.js";
import { theme } from "./theme.js";
import { treemap } from "./treemap.js";

theme();
tables();
picture();
charts();
treemap();
