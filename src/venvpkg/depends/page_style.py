"""How the page of dependencies looks and answers the pointer; constants, with nothing from a record."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root { color-scheme: light dark; --paper: #fbfaf7; --ink: #1f2430; --dim: #6b7280; --card: #fff; --edge: #d9d6cf;
  --mono: ui-monospace, "DejaVu Sans Mono", "Liberation Mono", Menlo, Consolas, monospace;
  --c0: #2563ab; --c1: #b4532a; --c2: #2f7d4f; --c3: #8b3f92; --c4: #0f7c86; --c5: #a3262f; --c6: #6a6f00;
  --c7: #5a4fcf; }
@media (prefers-color-scheme: dark) { :root { --paper: #15181e; --ink: #e6e4de; --dim: #9aa1ad; --card: #1d222b;
  --edge: #39404d; --c0: #7db2ee; --c1: #eb9a73; --c2: #7fcf9f; --c3: #d597dc; --c4: #6fd0d9; --c5: #f08b92;
  --c6: #cfd35c; --c7: #b0a8ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; }
header, main, figure { max-width: 1380px; margin: 0 auto; padding: 0 28px; }
header { padding-top: 36px; }
.kind { margin: 0; color: var(--dim); font-size: 13px; letter-spacing: .04em; }
h1 { margin: 2px 0 4px; font-size: 25px; line-height: 1.25; overflow-wrap: anywhere; }
.counts { margin: 0; color: var(--dim); }
figure { padding-top: 22px; padding-bottom: 10px; overflow-x: auto; }
svg { display: block; margin-left: -16px; font-family: var(--mono); }
.head { fill: var(--dim); font: 600 12px system-ui, "DejaVu Sans", sans-serif; }
.c0 { --own: var(--c0); } .c1 { --own: var(--c1); } .c2 { --own: var(--c2); } .c3 { --own: var(--c3); }
.c4 { --own: var(--c4); } .c5 { --own: var(--c5); } .c6 { --own: var(--c6); } .c7 { --own: var(--c7); }
.plain { --own: var(--dim); }
.link { fill: none; stroke: var(--own); stroke-width: 1.4; opacity: .55; }
.link.plain { opacity: .4; }
.node { cursor: default; outline: none; }
.node rect { fill: var(--card); stroke: var(--edge); }
.node.package rect { fill: color-mix(in srgb, var(--own) 14%, var(--card)); stroke: var(--own); }
.node.out rect { fill: none; stroke-dasharray: 4 3; }
.node.soname rect { stroke: var(--own); }
.node.distribution rect { fill: color-mix(in srgb, var(--dim) 12%, var(--card)); }
.label { font-size: 13px; fill: var(--ink); }
.package .label { font-weight: 600; }
.detail { font-size: 10.5px; fill: var(--dim); }
.node:focus-visible rect { stroke-width: 2.5; }
svg.chosen .node, svg.chosen .link { opacity: .13; }
svg.chosen .node.on { opacity: 1; }
svg.chosen .link.on { opacity: .95; stroke-width: 2; }
section { margin: 30px 0; }
h2 { margin: 0 0 4px; font: 600 17px/1.4 var(--mono); overflow-wrap: anywhere; }
section p { margin: 4px 0 8px; }
code { font: 600 14px var(--mono); }
.frame { overflow-x: auto; }
table { border-collapse: collapse; font: 12.5px/1.5 var(--mono); }
th { text-align: left; font: 600 12px system-ui, "DejaVu Sans", sans-serif; color: var(--dim); }
th, td { padding: 3px 18px 3px 0; border-bottom: 1px solid var(--edge); white-space: nowrap; vertical-align: top; }
th:nth-child(1) { min-width: 9em; } th:nth-child(2) { min-width: 25em; } th:nth-child(3) { min-width: 9em; }
.warnings h2 { font-family: inherit; }
@media print { figure { overflow: visible; } svg { max-width: 100%; height: auto; } }
"""

# What leads to a node and what follows from it stays; the rest of the drawing fades.
SCRIPT: Final = """
(() => {
  const svg = document.querySelector("svg");
  if (!svg) return;
  const links = [...svg.querySelectorAll(".link")];
  const reach = (start, from, to) => {
    const seen = new Set([start]);
    for (const name of seen)
      for (const link of links)
        if (link.dataset[from] === name) { link.classList.add("on"); seen.add(link.dataset[to]); }
    return seen;
  };
  const clear = () => {
    svg.classList.remove("chosen");
    svg.querySelectorAll(".on").forEach(each => each.classList.remove("on"));
  };
  const choose = node => {
    clear();
    svg.classList.add("chosen");
    for (const name of [...reach(node.id, "left", "right"), ...reach(node.id, "right", "left")])
      document.getElementById(name).classList.add("on");
  };
  for (const node of svg.querySelectorAll(".node")) {
    node.addEventListener("pointerenter", () => choose(node));
    node.addEventListener("pointerleave", clear);
    node.addEventListener("focus", () => choose(node));
    node.addEventListener("blur", clear);
  }
})();
"""
