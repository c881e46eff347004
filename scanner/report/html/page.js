
"use strict";
const form = document.getElementById("filter");
if (form) {
  const field = form.elements;
  const rows = [...document.querySelectorAll("tbody tr")];
  const apply = () => {
    const path = field.path.value.toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const data = row.dataset;
      const keep = (!field.rule.value || data.rule === field.rule.value)
        && Number(data.severity) >= Number(field.severity.value)
        && data.path.toLowerCase().includes(path)
        && (field.suppressed.checked || !row.classList.contains("suppressed"));
      row.classList.toggle("out", !keep);
      shown += keep;
    }
    field.shown.textContent = `${shown} of ${rows.length} shown`;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  apply();
}
