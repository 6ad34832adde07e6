"use strict";
// The decisions of the form become a file, without a server.
const form = document.getElementById("corrections");
const selects = [...form.querySelectorAll("select")];
const decided = () => selects.filter((select) => select.value);
const quoted = (text) => `"${text.replaceAll('"', '""')}"`;

function count() {
  form.querySelector("output").textContent = `${decided().length} of ${selects.length} decided`;
}

function rows() {
  return decided().map((select) => {
    const option = select.selectedOptions[0];
    const { path, sha256 } = select.dataset;
    return [path, sha256, select.value, option.dataset.className ?? ""];
  });
}

form.addEventListener("change", count);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const lines = [["path", "sha256", "decision", "class_name"], ...rows()];
  const text = lines.map((line) => line.map(quoted).join(",") + "\n").join("");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = "corrections.csv";
  link.click();
  URL.revokeObjectURL(link.href);
});
form.hidden = false;
count();
