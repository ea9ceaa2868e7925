// A block that is wider than its column scrolls sideways. Let the keyboard reach it, and only it: a
// block that fits would be one more stop on the way through the page.
"use strict";

const scrolls = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
for (const block of document.querySelectorAll("pre, .table-wrapper")) scrolls.observe(block);
