// Bundles the report's scripts and its style into the folder named on the command line, each as one
// file, with the licences of what was bundled in LICENSES.txt and at the head of the script. A page
// carries the scripts that it needs: report.js, and flame.js or timeline.js where it has such a graph.
import { readFileSync, writeFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2];
if (!out) {
  console.error("usage: node build.mjs FOLDER");
  process.exit(2);
}

const shared = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  write: false,
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
  target: ["chrome100", "firefox100", "safari15"],
};

// A name such as `node_modules/d3-hierarchy/src/index.js` begins with its package's folder.
function packages(metafile) {
  const found = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const match = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match) found.add(match[1]);
  }
  return [...found].sort();
}

function licence(name) {
  const folder = join(here, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const text = readFileSync(join(folder, "LICENSE"), "utf8").trim();
  return `${name} ${version} (${license})\n\n${text}\n`;
}

mkdirSync(out, { recursive: true });
const used = new Set();
for (const name of ["report", "flame", "timeline"]) {
  // A package's own style sheet is left out: the report has one for all.
  const loader = { ".css": "empty" };
  const made = await build({ ...shared, entryPoints: [`src/${name}.js`], format: "iife", loader });
  const names = packages(made.metafile);
  for (const each of names) used.add(each);
  const texts = names.map(licence).join("\n");
  const head = texts ? `/*\n${texts.replaceAll("*/", "* /")}*/\n` : "";
  writeFileSync(join(out, `${name}.js`), head + made.outputFiles[0].text);
}
const style = await build({ ...shared, entryPoints: ["src/report.css"] });
writeFileSync(join(out, "report.css"), style.outputFiles[0].text);
writeFileSync(join(out, "LICENSES.txt"), [...used].sort().map(licence).join("\n"));
