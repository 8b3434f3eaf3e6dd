"""The gate: plans measures from rules, builds, measures, judges, prices; one Report comes out."""
