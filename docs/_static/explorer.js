// The schedule explorer: a learning rate over the steps of a run, when it first changes, and the code in both frameworks.
//
// Everything is made inside <div id="explorer">. What is said and drawn is the closed form of experiment/clock.py and
// experiment/schedules/decays.py in float64; the code is, letter by letter, what tf_impl and torch_impl write for the same
// schedule. tests/test_explorer.py holds both.
"use strict";

(() => {
  // ---- words -------------------------------------------------------------------------------------------------------

  const whole = (n) => n.toLocaleString("en-US");
  const counted = (n, one, more = `${one}s`) => `${whole(n)} ${n === 1 ? one : more}`;

  const WORDS = {
    labels: {
      samples: "samples", batch: "batch size", last: "last short batch", epochs: "epochs", initial: "initial rate",
      factor: "decay factor", every: "every", unit: "unit of every", form: "form", stepping: "stepping",
    },
    choices: {
      keep: "keep", drop: "drop", steps: "steps", epochs: "epochs", staircase: "staircase", smooth: "smooth",
      step: "per step", epoch: "per epoch",
    },
    sliderOf: (label) => `${label}, slider`,
    noNumber: (got) => (got ? `Got '${got}'. Write a number.` : "Empty. Write a number."),
    notWhole: (got) => `Got '${got}'. Write a whole number.`,
    outside: (got, least, most) => `Got '${got}'. Write a number from ${least} to ${most}.`,
    notDecimal: (got) => `Got '${got}'. Write a number like 25 or 2.5, with 9 decimals at most.`,
    notChoice: (got, choices) => `Got '${got}'. Choose ${choices.join(" or ")}.`,
    noDuration: (got) => `Got '${got}'. Write a count with its unit, like '25 steps' or '25 epochs'.`,
    noUpdate: (samples) => `Leaves no full batch in an epoch. Write at most ${samples}, or keep the last short batch.`,
    tooLong: (steps) => `The run has ${whole(steps)} steps. Write fewer epochs: 100,000,000 steps at most.`,
    notAbove0: (got, unit) => `Got '${got}'. Write at least '1 ${unit.slice(0, -1)}'.`,
    dividesStep: (got) => `'${got} steps' divides a step. Write a whole number of steps.`,
    notWholeSteps: (got, steps, perEpoch) =>
      `'${got}' is ${g(steps, 6)} steps with ${counted(perEpoch, "step")} per epoch. Write a whole number of steps.`,
    everyTooLong: "Longer than 1e12 steps. Write a shorter one.",
    grows: (step) => `The rate grows past 3e+38, what float32 holds, at step ${whole(step)}. Write less, or train shorter.`,
    epoch: (found) => {
      const { samples, batch, last, perEpoch } = found;
      const full = Math.floor(samples / batch), rest = samples % batch;
      let batches = full ? counted(full, "full batch", "full batches") : "";
      if (rest && last === "drop") batches += `; the last ${counted(rest, "row")} left out`;
      else if (rest) batches += `${full ? " and " : ""}one of ${rest}`;
      return `${counted(samples, "sample")} in batches of ${batch} ${samples === 1 ? "makes" : "make"} ` +
        `${counted(perEpoch, "step")} an epoch (${batches}).`;
    },
    change: ({ first, changes, steps, finalRate }) => first === null
      ? `The rate never changes in the ${counted(steps, "step")} of this run: it is ${g(finalRate, 6)} from the first to the last.`
      : `The rate changes for the first time at step ${whole(first.step)} (epoch ${whole(first.epoch)}, batch ` +
        `${whole(first.batch)}), ${changes === 1 ? "once" : counted(changes, "time")} in the ${counted(steps, "step")} of this run, and the final ` +
        `rate is ${g(finalRate, 6)}.`,
    picture: ({ first, steps, epochs, finalRate, initial }) =>
      `Learning rate against ${counted(steps, "step")} in ${counted(epochs, "epoch")}: from ${g(initial, 6)} to ` +
      `${g(finalRate, 6)}, ${first === null ? "without a change" : `first changed at step ${whole(first.step)}`}.`,
    mark: (step) => `first change: step ${whole(step)}`,
    axes: { step: "step", epoch: "epoch", rate: "learning rate" },
    tabs: { keras: "Keras", torch: "PyTorch" },
    code: "The same schedule as code",
    stale: "The picture shows the last setting that was accepted.",
  };

  // ---- numbers as Python writes them -------------------------------------------------------------------------------

  /** `repr` of a float: 0.001, 1e-05, 1.0. */
  function repr(value) {
    const [digits, exponent] = value.toExponential().split("e");
    const power = Number(exponent);
    if (power < -4 || power >= 16) return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
    const plain = digits.replace(".", "");
    if (power < 0) return `0.${"0".repeat(-power - 1)}${plain}`;
    const padded = plain.padEnd(power + 1, "0");
    return `${padded.slice(0, power + 1)}.${padded.slice(power + 1) || "0"}`;
  }

  /** `format(value, ".6g")`, or with fewer digits. */
  function g(value, digits) {
    if (value === 0) return "0";
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
    const power = Number(exponent);
    const short = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
    if (power >= -4 && power < digits) return short(value.toFixed(digits - 1 - power));
    return `${short(mantissa)}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }

  // ---- a setting: text in, numbers or one line of complaint for each field out ---------------------------------------

  const MOST_STEPS = 1e8; // as compare/explain.py
  const LARGEST = 3e38; // what float32 holds

  const NUMBERS = {
    samples: { least: 1, most: 1e9, whole: true },
    batch: { least: 1, most: 1e9, whole: true },
    epochs: { least: 1, most: 1e6, whole: true },
    initial: { least: 1e-38, most: LARGEST },
    factor: { least: 1e-30, most: 10 },
  };
  const CHOICES = { last: ["keep", "drop"], form: ["staircase", "smooth"], stepping: ["step", "epoch"] };
  const UNITS = ["steps", "epochs"];
  const START = {
    samples: "1000", batch: "32", last: "keep", epochs: "50", initial: "0.001", factor: "0.95", every: "25 steps",
    form: "staircase", stepping: "step",
  };

  const shortened = (text) => (text.length > 24 ? `${text.slice(0, 23)}…` : text);

  function number(text, { least, most, whole: isWhole }) {
    const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
    if (Number.isNaN(value)) return { error: WORDS.noNumber(shortened(text)) };
    if (!(value >= least && value <= most)) {
      return { error: WORDS.outside(shortened(text), isWhole ? whole(least) : g(least, 6), isWhole ? whole(most) : g(most, 6)) };
    }
    return isWhole && !Number.isInteger(value) ? { error: WORDS.notWhole(shortened(text)) } : { value };
  }

  /** A count with its unit in whole steps: the text is read digit by digit, since 0.1 has no exact float. */
  function durationInSteps(text, perEpoch) {
    const [count, unit] = text.split(/\s+/);
    const found = /^\+?(\d{1,12})(?:\.(\d{1,9}))?$/.exec(count);
    if (Number(count) <= 0) return { error: WORDS.notAbove0(shortened(count), unit) };
    if (!found) return { error: WORDS.notDecimal(shortened(count)) };
    const decimals = found[2] || "";
    const scale = 10n ** BigInt(decimals.length);
    const scaled = BigInt(found[1] + decimals);
    if (unit === "steps" && scaled % scale) return { error: WORDS.dividesStep(count) };
    const steps = scaled * (unit === "epochs" ? BigInt(perEpoch) : 1n);
    if (steps % scale) return { error: WORDS.notWholeSteps(text, Number(count) * perEpoch, perEpoch) };
    return steps / scale > 10n ** 12n ? { error: WORDS.everyTooLong } : { value: Number(steps / scale) };
  }

  /** Numbers of a setting, its steps per epoch and its period in steps; or `errors`, by field. */
  function read(setting) {
    const texts = {}, found = {}, errors = {};
    for (const name of Object.keys(START)) texts[name] = String(setting[name] ?? START[name]).trim();
    for (const [name, limits] of Object.entries(NUMBERS)) {
      const { value, error } = number(texts[name], limits);
      if (error) errors[name] = error;
      found[name] = value;
    }
    for (const [name, choices] of Object.entries(CHOICES)) {
      if (!choices.includes(texts[name])) errors[name] = WORDS.notChoice(shortened(texts[name]), choices);
      found[name] = texts[name];
    }
    found.every = texts.every.replace(/\b(step|epoch)$/, "$1s").replace(/\s*(steps|epochs)$/, " $1");
    const unit = found.every.split(/\s+/).pop();
    if (UNITS.includes(texts.every)) errors.every = WORDS.noNumber("");
    else if (!UNITS.includes(unit) || found.every.split(/\s+/).length !== 2) errors.every = WORDS.noDuration(shortened(texts.every));
    if (!errors.samples && !errors.batch) {
      const batches = found.samples / found.batch;
      found.perEpoch = found.last === "drop" ? Math.floor(batches) : Math.ceil(batches);
      if (found.perEpoch < 1) errors.batch = WORDS.noUpdate(found.samples);
      if (!errors.epochs && found.perEpoch * found.epochs > MOST_STEPS) {
        errors.epochs = WORDS.tooLong(found.perEpoch * found.epochs);
      }
      if (!errors.every) {
        const { value, error } = durationInSteps(found.every, found.perEpoch);
        if (error) errors.every = error;
        found.period = value;
      }
    } else if (!errors.every) {
      const { error } = durationInSteps(found.every, 1);
      if (error && unit === "steps") errors.every = error;
    }
    return Object.keys(errors).length ? { errors } : found;
  }

  // ---- the schedule: lr(n) = initial * factor ** p, p = t(n) / every or its floor -----------------------------------

  /**
   * What a setting does in its run, or `{errors}`. Nothing is asked step by step: a run may have 100 million of them.
   *
   * `rate(n)` is the rate of update n; `changeStep(m)` the step of the m-th change, from 1. Changes are counted in exact
   * arithmetic, but for what lies below float64: a rate that is 0 does not change any more.
   */
  function compute(setting) {
    const found = read(setting);
    if (found.errors) return found;
    const { perEpoch, epochs, initial, factor, period, form, stepping } = found;
    const steps = perEpoch * epochs;
    const stride = stepping === "step" ? 1 : perEpoch; // from one look-up to the next
    const lookUps = steps / stride;
    const power = (n) => {
      const t = n - (n % stride);
      return Math.pow(factor, form === "staircase" ? Math.floor(t / period) : t / period);
    };
    const rate = (n) => initial * power(n);
    const everyLookUp = form === "smooth" || period <= stride;
    const changeStep = (m) => (everyLookUp ? m : Math.ceil((m * period) / stride)) * stride;
    let changes = everyLookUp ? lookUps - 1 : Math.floor((stride * (lookUps - 1)) / period);
    if (factor === 1) changes = 0;

    /** The first change from which on `holds` is true, where it is false before and true after; changes + 1 if none. */
    const firstWhere = (holds) => {
      let low = 1, high = changes + 1;
      while (low < high) {
        const middle = Math.floor((low + high) / 2);
        if (holds(changeStep(middle))) high = middle;
        else low = middle + 1;
      }
      return low;
    };
    const beyond = firstWhere((n) => rate(n) > LARGEST);
    if (beyond <= changes) return { errors: { factor: WORDS.grows(changeStep(beyond)) } };
    // PyTorch's factor of one call must be a number as well
    if (form === "smooth" && Math.pow(factor, stride / period) === Infinity) return { errors: { factor: WORDS.grows(stride) } };

    const tiny = firstWhere((n) => Math.min(power(n), rate(n)) < 1e-300);
    if (tiny <= changes) {
      const all = changes;
      changes = tiny - 1;
      for (let m = tiny, before = rate(changeStep(m - 1)); m <= all && before > 0; m++) {
        const now = rate(changeStep(m));
        if (now !== before) changes++;
        before = now;
      }
    }
    const at = (n) => ({ step: n, epoch: Math.floor(n / perEpoch), batch: n % perEpoch, rate: rate(n) });
    const first = changes ? at(changeStep(1)) : null;
    return { ...found, steps, stride, changes, changeStep, first, finalRate: rate(steps - 1), rate };
  }

  // ---- the code, as experiment/code.py, tf_impl/schedules.py and torch_impl/schedules.py write it ---------------------

  const WIDTH = 100;

  function call(name, given) {
    const line = `${name}(${given.join(", ")})`;
    if (line.length <= WIDTH) return line;
    const within = given.join(", ");
    if (within.length + 4 <= WIDTH) return `${name}(\n    ${within}\n)`;
    return [`${name}(`, ...given.map((each) => `    ${each},`), ")"].join("\n");
  }

  const truth = (value) => (value ? "True" : "False");
  const divisor = (a, b) => (b ? divisor(b, a % b) : a);

  function kerasSource({ initial, factor, period, form, stepping, perEpoch }) {
    const inEpochs = stepping === "epoch" && period % perEpoch === 0;
    const made = call("keras.optimizers.schedules.ExponentialDecay", [
      `initial_learning_rate=${repr(initial)}`,
      `decay_steps=${inEpochs ? period / perEpoch : period}`,
      `decay_rate=${repr(factor)}`,
      `staircase=${truth(form === "staircase")}`,
    ]);
    if (stepping === "step") {
      return [
        "import keras", "", `learning_rate = ${made}`,
        "# an optimizer made with it asks it before each update; there is nothing to step", "",
      ].join("\n");
    }
    const asked = inEpochs || perEpoch === 1 ? "epoch" : `epoch * ${perEpoch}`;
    return [
      "import keras", "", `learning_rate = ${repr(initial)}`, `schedule = ${made}`,
      "# looked up once per epoch: model.fit(..., callbacks=[per_epoch])",
      `per_epoch = keras.callbacks.LearningRateScheduler(lambda epoch, lr: float(schedule(${asked})))`, "",
    ].join("\n");
  }

  // torch_impl/stand_ins.py, where StepLR cannot count a part of an epoch
  const STAND_IN = `class ExponentialDecay:
    """A rate multiplied by factor once every so many counts, or smoothly."""

    def __init__(self, initial, factor, every, staircase):
        self.initial, self.factor, self.every, self.staircase = initial, factor, every, staircase

    def __call__(self, n):
        return self.initial * self.factor ** (n // self.every if self.staircase else n / self.every)
`;

  function torchSource({ initial, factor, period, form, stepping, perEpoch, stride }) {
    const library = "torch.optim.lr_scheduler.";
    const base = `base_lr = ${repr(initial)}  # optimizer = ...(model.parameters(), lr=base_lr)`;
    const step = `# scheduler.step() after each ${stepping === "step" ? "batch" : "epoch"}`;
    if (form === "staircase" && period % stride) {
      const made = call("ExponentialDecay", [
        `initial=${repr(initial)}`, `factor=${repr(factor)}`, `every=${period}`, "staircase=True",
      ]);
      return [
        "import torch", "", "", STAND_IN, "", base, `rate = ${made}`,
        `scheduler = ${library}LambdaLR(optimizer, lambda n: rate(${perEpoch} * n) / base_lr)`, step, "",
      ].join("\n");
    }
    const common = divisor(period, stride);
    const every = period / common, times = stride / common; // the period in calls of scheduler.step(): every / times
    let gamma = repr(factor);
    if (every !== 1 || times !== 1) {
      gamma += ` ** ${times === 1 ? `(1 / ${every})` : every === 1 ? times : `(${times} / ${every})`}`;
    }
    const made = form === "staircase"
      ? call(`${library}StepLR`, ["optimizer", `step_size=${every}`, `gamma=${repr(factor)}`])
      : call(`${library}ExponentialLR`, ["optimizer", `gamma=${gamma}`]);
    return ["import torch", "", base, `scheduler = ${made}`, step, ""].join("\n");
  }

  /** Both frameworks' code for what `compute` found. */
  const sources = (found) => ({ keras: kerasSource(found), torch: torchSource(found) });

  // ---- the picture ---------------------------------------------------------------------------------------------------

  const MOST_POINTS = 2000;

  /** An element with its attributes and what is in it; SVG where `svg:` stands before the name. */
  function make(name, attributes = {}, ...within) {
    const made = name.startsWith("svg:")
      ? document.createElementNS("http://www.w3.org/2000/svg", name.slice(4))
      : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...within);
    return made;
  }

  /** Steps and rates of the line's corners: each stair where they can all be drawn, else as many as can be seen. */
  function points(found) {
    const { steps, changes, changeStep, rate, form, stepping } = found;
    const stairs = (form === "staircase" || stepping === "epoch") && 2 * changes + 2 <= MOST_POINTS;
    if (stairs) {
      const line = [[0, rate(0)]];
      for (let m = 1; m <= changes; m++) {
        const n = changeStep(m);
        line.push([n, line[line.length - 1][1]], [n, rate(n)]);
      }
      return [...line, [steps, found.finalRate]];
    }
    const parts = Math.min(steps, MOST_POINTS - 1);
    const line = Array.from({ length: parts }, (_, i) => Math.floor((i * steps) / parts)).map((n) => [n, rate(n)]);
    return [...line, [steps, found.finalRate]];
  }

  /** Round numbers from 0 to `end`, at most so many; whole ones where asked. */
  function ticks(end, most, isWhole) {
    const rough = end / Math.max(1, most);
    const decade = 10 ** Math.floor(Math.log10(rough));
    let apart = [1, 2, 5, 10].map((each) => each * decade).find((each) => each >= rough * (1 - 1e-9));
    if (isWhole) apart = Math.max(1, apart);
    return Array.from({ length: Math.floor((end / apart) * (1 + 1e-9)) + 1 }, (_, i) => Number((i * apart).toPrecision(12)));
  }

  function draw(found, width) {
    const { steps, epochs, perEpoch, first, initial, finalRate } = found;
    const height = width < 480 ? 270 : 320;
    const top = 46, bottom = height - 46, letter = 6.7;
    const peak = Math.max(initial, finalRate), ceiling = peak * 1.06;
    const rates = ticks(ceiling, 5, false);
    const names = rates.map((value) => g(value, 4));
    const left = 26 + letter * Math.max(...names.map((name) => name.length)), right = width - 8 - (letter / 2) * whole(steps).length;
    const x = (n) => left + (n / steps) * (right - left), y = (value) => bottom - (value / ceiling) * (bottom - top);
    const fixed = (value) => value.toFixed(2);
    const svg = make("svg:svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": WORDS.picture(found) });
    const line = (kind, x1, y1, x2, y2) =>
      make("svg:line", { class: kind, x1: fixed(x1), y1: fixed(y1), x2: fixed(x2), y2: fixed(y2) });
    const text = (kind, at, down, words, anchor = "middle", more = {}) =>
      make("svg:text", { class: kind, x: fixed(at), y: fixed(down), "text-anchor": anchor, ...more }, words);
    const room = (end) => (right - left) / (letter * whole(end).length + 22);

    if (epochs <= (right - left) / 6) {
      for (let e = 1; e < epochs; e++) svg.append(line("boundary", x(e * perEpoch), top, x(e * perEpoch), bottom));
    }
    rates.forEach((value, i) => svg.append(
      line("tick", left - 4, y(value), left, y(value)), text("rate", left - 7, y(value) + 4, names[i], "end"),
    ));
    for (const n of ticks(steps, room(steps), true)) {
      svg.append(line("tick", x(n), bottom, x(n), bottom + 4), text("step", x(n), bottom + 17, whole(n), "middle", { "data-step": n }));
    }
    for (const e of ticks(epochs, room(epochs), true)) {
      const at = x(e * perEpoch);
      svg.append(line("tick", at, top - 4, at, top), text("epoch", at, top - 8, whole(e), "middle", { "data-epoch": e }));
    }
    const middle = (left + right) / 2;
    svg.append(
      text("axis", middle, height - 8, WORDS.axes.step),
      text("axis", middle, 14, WORDS.axes.epoch),
      text("axis", 0, 0, WORDS.axes.rate, "middle", { transform: `translate(12 ${(top + bottom) / 2}) rotate(-90)` }),
      make("svg:rect", { class: "frame", x: fixed(left), y: top, width: fixed(right - left), height: bottom - top }),
    );
    const corners = points(found).map(([n, value]) => `${fixed(x(n))} ${fixed(y(value))}`);
    svg.append(make("svg:path", { class: "line", d: `M${corners.join("L")}` }));
    if (first !== null) {
      const at = x(first.step), label = WORDS.mark(first.step);
      const long = letter * label.length + 8; // right of the mark where there is room, else left of it, else over it
      const start = at + 8 + long < right ? at + 8 : at - 8 - long > left ? at - long : Math.max(left + 4, right - long);
      const down = first.rate > peak / 2 ? bottom - 12 : top + 20;
      svg.append(make(
        "svg:g", { class: "mark", "data-step": first.step },
        line("at", at, top, at, bottom),
        make("svg:circle", { cx: fixed(at), cy: fixed(y(first.rate)), r: 4.5 }),
        text("label", start, down, label, "start"),
      ));
    }
    return svg;
  }

  // ---- the page --------------------------------------------------------------------------------------------------------

  /** What a slider steps through, in pieces: from, to, by. The field beside it takes any number. */
  function stops(...pieces) {
    const found = pieces.flatMap(([from, to, by]) =>
      Array.from({ length: Math.round((to - from) / by) + 1 }, (_, i) => Number((from + i * by).toPrecision(9))));
    return [...new Set(found)].sort((one, other) => one - other);
  }

  const decades = (from, to) => Array.from({ length: to - from }, (_, i) => [10 ** (from + i), 10 ** (from + i + 1), 10 ** (from + i) / 2]);
  const SLIDERS = {
    samples: stops([1, 10, 1], ...decades(1, 6)),
    batch: Array.from({ length: 13 }, (_, i) => 2 ** i),
    epochs: stops([1, 100, 1], [100, 300, 10], [300, 1000, 50]),
    initial: stops(...decades(-6, 0)),
    factor: stops([0.05, 0.9, 0.05], [0.9, 1.1, 0.01], [1.1, 2, 0.1]),
    every: stops([1, 100, 1], [100, 1000, 10], [1000, 10000, 100]),
  };

  function page(root) {
    const fields = {}, sliders = {}, said = {};
    let shown = null, timer = 0;

    function complaint(name) {
      said[name] = make("p", { class: "said", id: `explorer-${name}-said`, "aria-live": "polite" });
      return said[name];
    }

    function numberField(name, more) {
      const list = SLIDERS[name], label = WORDS.labels[name], id = `explorer-${name}`;
      const mode = NUMBERS[name]?.whole ? "numeric" : "decimal";
      fields[name] = make("input", {
        id, type: "text", inputmode: mode, autocomplete: "off", spellcheck: "false", "aria-describedby": `${id}-said`,
      });
      sliders[name] = make("input", {
        type: "range", min: 0, max: list.length - 1, step: 1, "aria-label": WORDS.sliderOf(label), id: `${id}-slider`,
      });
      sliders[name].addEventListener("input", () => {
        fields[name].value = String(list[Number(sliders[name].value)]);
        changed();
      });
      fields[name].addEventListener("input", changed);
      const number = make("span", { class: "number" }, fields[name], ...(more ? [more] : []));
      return make("div", { class: "field" }, make("label", { for: id }, label), number, sliders[name], complaint(name));
    }

    function choiceField(name) {
      const buttons = CHOICES[name].map((value) => make("input", {
        type: "radio", name: `explorer-${name}`, value, id: `explorer-${name}-${value}`,
      }));
      let given = ""; // an address may name what cannot be chosen
      fields[name] = {
        get value() { return buttons.find((each) => each.checked)?.value ?? given; },
        set value(value) {
          given = value;
          for (const each of buttons) each.checked = each.value === value;
        },
        setAttribute(key, value) { for (const each of buttons) each.setAttribute(key, value); },
      };
      for (const each of buttons) each.addEventListener("change", changed);
      const labels = buttons.map((each) => make("label", {}, each, make("span", {}, WORDS.choices[each.value])));
      return make(
        "fieldset", { class: "field" }, make("legend", {}, WORDS.labels[name]), make("span", { class: "choices" }, ...labels),
        complaint(name),
      );
    }

    function show(setting) {
      const [count, unit] = [setting.every.replace(/\s*(steps?|epochs?)$/, ""), /(step|epoch)s?$/.exec(setting.every)];
      for (const name of Object.keys(START)) fields[name].value = name === "every" ? count : setting[name];
      fields.unit.value = unit ? `${unit[1]}s` : "";
      update();
    }

    function setting() {
      const texts = Object.fromEntries(Object.keys(START).map((name) => [name, fields[name].value.trim()]));
      return { ...texts, every: `${texts.every} ${fields.unit.value}` };
    }

    function nearest(list, value) {
      let best = 0;
      for (let i = 1; i < list.length; i++) if (Math.abs(list[i] - value) < Math.abs(list[best] - value)) best = i;
      return best;
    }

    /** Look at the fields, and say and draw what they are; where one is refused, all else stays as it was. */
    function update() {
      const found = compute(setting());
      const errors = found.errors ?? {};
      for (const name of Object.keys(said)) {
        const error = errors[name] ?? "";
        if (said[name].textContent !== error) said[name].textContent = error;
        fields[name].setAttribute("aria-invalid", error ? "true" : "false");
      }
      for (const [name, slider] of Object.entries(sliders)) {
        if (errors[name]) continue;
        slider.value = nearest(SLIDERS[name], Number(fields[name].value));
        slider.setAttribute("aria-valuetext", name === "every" ? `${fields.every.value} ${fields.unit.value}` : fields[name].value);
      }
      root.classList.toggle("stale", Boolean(found.errors));
      stale.hidden = !found.errors;
      if (found.errors) return false;
      shown = found;
      epochSentence.textContent = WORDS.epoch(found);
      changeSentence.textContent = WORDS.change(found);
      for (const [name, text] of Object.entries(sources(found))) panels[name].firstChild.textContent = text;
      paint();
      return true;
    }

    function paint() {
      const width = Math.floor(figure.clientWidth);
      if (shown && width > 0) figure.replaceChildren(draw(shown, width));
    }

    function changed() {
      if (!update()) return;
      clearTimeout(timer); // browsers allow only so many changes of the address in a second
      timer = setTimeout(() => history.replaceState(history.state, "", `#${new URLSearchParams(setting())}`), 150);
    }

    /** The setting that the address names; what it leaves out is as at the start. None where it names nothing. */
    function fromAddress() {
      const named = new URLSearchParams(location.hash.slice(1));
      const known = Object.keys(START).filter((name) => named.has(name));
      return known.length ? { ...START, ...Object.fromEntries(known.map((name) => [name, named.get(name)])) } : null;
    }

    // what is on the page, from top to bottom
    fields.unit = make("select", { id: "explorer-unit", "aria-label": WORDS.labels.unit });
    for (const unit of UNITS) fields.unit.append(make("option", { value: unit }, WORDS.choices[unit]));
    fields.unit.addEventListener("change", changed);
    const controls = make(
      "form", { class: "controls" },
      numberField("samples"), numberField("batch"), numberField("epochs"), choiceField("last"),
      numberField("initial"), numberField("factor"), numberField("every", fields.unit),
      make("div", { class: "pair" }, choiceField("form"), choiceField("stepping")),
    );
    controls.addEventListener("submit", (event) => event.preventDefault());
    const epochSentence = make("span", { class: "epoch-sentence" });
    const changeSentence = make("strong", { class: "change-sentence" });
    const stale = make("span", { class: "stale-sentence", hidden: "" }, WORDS.stale);
    const status = make("p", { class: "status", role: "status" }, changeSentence, " ", epochSentence, " ", stale);
    const figure = make("div", { class: "figure" });
    const panels = {}, tabs = {};
    for (const [name, label] of Object.entries(WORDS.tabs)) {
      tabs[name] = make("button", { type: "button", role: "tab", id: `explorer-tab-${name}`, "aria-controls": `explorer-${name}` }, label);
      panels[name] = make(
        "pre", { role: "tabpanel", id: `explorer-${name}`, "aria-labelledby": `explorer-tab-${name}`, tabindex: 0 }, make("code"),
      );
    }
    const names = Object.keys(tabs);
    const choose = (chosen) => names.forEach((name) => {
      tabs[name].setAttribute("aria-selected", String(name === chosen));
      tabs[name].tabIndex = name === chosen ? 0 : -1;
      panels[name].hidden = name !== chosen;
    });
    names.forEach((name, i) => {
      tabs[name].addEventListener("click", () => choose(name));
      tabs[name].addEventListener("keydown", (event) => {
        const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: names.length - 1 }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        const next = names[(to + names.length) % names.length];
        choose(next);
        tabs[next].focus();
      });
    });
    choose(names[0]);
    root.classList.add("explorer");
    root.replaceChildren(
      controls, status, figure, make("div", { class: "tabs", role: "tablist", "aria-label": WORDS.code }, ...Object.values(tabs)),
      ...Object.values(panels),
    );

    show(START); // what stays where the address is refused
    const named = fromAddress();
    if (named) show(named);
    addEventListener("hashchange", () => {
      const setTo = fromAddress();
      if (setTo) show(setTo);
    });
    let width = figure.clientWidth;
    new ResizeObserver(() => {
      if (figure.clientWidth === width) return;
      width = figure.clientWidth;
      requestAnimationFrame(paint);
    }).observe(figure);
  }

  window.samestepExplorer = { compute, sources };
  const begin = () => {
    const root = document.getElementById("explorer");
    if (root) page(root);
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
