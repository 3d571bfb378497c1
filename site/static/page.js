// The box of the glossary's chapter: shows the rows of the next table that hold a word.
const fold = (text) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "").replace(/z/g, "s");
for (const box of document.querySelectorAll("[data-lookup]")) {
  const input = box.querySelector("input"), said = box.querySelector("[role=status]");
  const after = (table) => box.compareDocumentPosition(table) & Node.DOCUMENT_POSITION_FOLLOWING;
  const rows = [...document.querySelectorAll("table")].find(after).querySelectorAll("tbody tr");
  const filter = () => {
    let count = 0;
    for (const row of rows) {
      const found = fold(row.textContent).includes(fold(input.value));
      row.hidden = !found;
      count += found;
    }
    said.textContent = `${count} of ${rows.length} terms, in the list below.`;
  };
  input.addEventListener("input", filter);
  filter();
}

// What is wider than the page scrolls by itself, and a keyboard must reach it.
const reach = () => {
  for (const part of document.querySelectorAll("article pre, article div.math, article div, .explorer figure"))
    if (part.scrollWidth > part.clientWidth + 1 && getComputedStyle(part).overflowX !== "visible") part.tabIndex = 0;
};
addEventListener("load", reach);
addEventListener("resize", reach);

// Names for what the theme leaves without one, or names otherwise than it shows.
for (const part of document.querySelectorAll("details.hide > summary, .search-button-field"))
  part.removeAttribute("aria-label");
for (const part of document.querySelectorAll("nav li > details > summary"))
  part.ariaLabel = "Pages under " + part.closest("li").querySelector("a").textContent.trim();
