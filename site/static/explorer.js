// Explorers: a control changes, and the picture that was drawn for its position appears.
for (const box of document.querySelectorAll(".explorer")) {
  const plan = JSON.parse(box.querySelector("script").textContent);
  const image = box.querySelector("img"), caption = box.querySelector("figcaption");
  // data-control says which axis of the grid a control moves; what keeps its value has none.
  const controls = [...box.querySelectorAll("[data-control]")];

  const positions = () => {
    const all = plan.texts.map(() => 0);
    for (const control of controls)
      all[control.dataset.control] = Number(control.querySelector("select, input[type=range], :checked").value);
    return all;
  };
  const frame = (all) => plan.frames[plan.texts.reduce((sum, texts, k) => sum * texts.length + all[k], 0)];

  const show = () => {
    const now = positions(), [file, alt] = frame(now);
    image.hidden = file === null;  // the drawing failed here, and alt says how
    if (file !== null && image.getAttribute("src") !== plan.folder + file) image.src = plan.folder + file;
    image.alt = caption.textContent = alt;
    for (const control of controls) {
      const slider = control.querySelector("input[type=range]");
      if (slider === null) continue;
      const text = plan.texts[control.dataset.control][slider.value];
      slider.setAttribute("aria-valuetext", text);
      control.querySelector("output").textContent = text;
    }
  };

  // The pictures that a control can lead to are fetched as soon as it has the focus.
  const fetchAlong = (axis) => {
    const all = positions();
    plan.texts[axis].forEach((_, k) => {
      all[axis] = k;
      const file = frame(all)[0];
      if (file !== null) new Image().src = plan.folder + file;
    });
  };
  for (const control of controls) {
    control.addEventListener("input", show);
    control.addEventListener("focusin", () => fetchAlong(control.dataset.control));
  }
  box.querySelector(".explorer-controls").disabled = false;
  show();  // a browser may have kept the positions of an earlier visit
}
