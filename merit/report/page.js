document.addEventListener("play", (event) => {
  for (const audio of document.querySelectorAll("audio")) if (audio !== event.target) audio.pause();
}, true);
const filters = [...document.querySelectorAll("select[data-filter]")];
const filter = () => {
  for (const example of document.querySelectorAll(".example"))
    example.hidden = filters.some((select) => select.value && example.dataset[select.dataset.filter] !== select.value);
};
filters.forEach((select) => select.addEventListener("change", filter));
filter();
