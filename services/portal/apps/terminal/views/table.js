import { h, once } from "../../device/dom.js";
import { tr } from "../../device/words.js";
import { onList, spoilsOn } from "../catalogue.js";
import { isDay } from "../days.js";
import { checked } from "../entries.js";
import { faultText } from "../sentences.js";

/** @typedef {{ qty: string, best_before: string }} Row */
/** @typedef {{ made_on: string, rows: Map<string, Row>, faults: Map<string, import("../entries.js").Fault> }} Table */

/** Many products of one day at once, all of them or none. @param {import("../main.js").TerminalApp} app */
export function tableView(app) {
  const products = onList(app.catalogue);
  const heading = h("h1", {}, tr("What was made that day?"));
  if (!products.length)
    return [
      heading,
      h("div", { class: "empty" }, h("p", { class: "empty-title" }, tr("The list of products is not here yet"))),
    ];
  const table = app.table ?? { made_on: app.today, rows: new Map(), faults: new Map() };
  const columns = [tr("Product"), tr("Pieces"), tr("Best before")];
  const hasSpoiling = products.some(({ shelf_life_days }) => (shelf_life_days ?? null) !== null);
  const chooseDay = (/** @type {any} */ { target }) => {
    table.made_on = target.value;
    app.table = table;
    app.render(true);
  };
  return [
    heading,
    h("p", { class: "lead" }, tr("Write the pieces of each product. Leave empty what was not made.")),
    h(
      "form",
      { novalidate: true, onsubmit: once(() => keep(app, table)) },
      h(
        "div",
        { class: "field narrow" },
        h("label", { for: "table-day" }, tr("Made on")),
        h("input", { id: "table-day", type: "date", max: app.today, value: table.made_on, onchange: chooseDay }),
      ),
      h(
        "div",
        { class: "table labelled" },
        h(
          "table",
          {},
          h("thead", {}, h("tr", {}, columns.slice(0, hasSpoiling ? 3 : 2).map((text) => h("th", { scope: "col" }, text)))),
          h("tbody", {}, products.map((product) => row(app, table, product, columns, hasSpoiling))),
        ),
      ),
      h("div", { class: "actions" }, h("button", { class: "primary big", id: "keep-table" }, tr("Record all"))),
    ),
  ];
}

/** @param {import("../main.js").TerminalApp} app @param {Table} table
 * @param {import("../catalogue.js").Product} product @param {string[]} columns @param {boolean} hasSpoiling */
function row(app, table, product, columns, hasSpoiling) {
  const { product: code, name, unit } = product;
  const known = table.rows.get(code) ?? { qty: "", best_before: "" };
  const fault = table.faults.get(code);
  const proposed = isDay(table.made_on) ? spoilsOn(product, table.made_on) : null;
  const change = (/** @type {Partial<Row>} */ values) => {
    table.rows.set(code, { ...(table.rows.get(code) ?? known), ...values });
    app.table = table;
  };
  return h(
    "tr",
    {},
    h(
      "th",
      { scope: "row" },
      h(
        "div",
        {},
        `${name} (${unit})`,
        fault ? h("p", { class: "error", role: "alert", id: `fault-${code}` }, faultText(fault)) : null,
      ),
    ),
    h(
      "td",
      { "data-label": columns[1] },
      h("input", {
        id: `qty-${code}`,
        class: "short",
        inputmode: "numeric",
        autocomplete: "off",
        maxlength: 12,
        "aria-label": tr("Pieces of {product}", { product: name }),
        "aria-describedby": fault ? `fault-${code}` : null,
        value: known.qty,
        oninput: (/** @type {any} */ { target }) => change({ qty: target.value }),
      }),
    ),
    hasSpoiling &&
      h(
        "td",
        { "data-label": columns[2] },
        proposed &&
          h("input", {
            id: `best-before-${code}`,
            type: "date",
            min: table.made_on,
            max: proposed,
            "aria-label": tr("Best before of {product}", { product: name }),
            value: known.best_before || proposed,
            onchange: (/** @type {any} */ { target }) =>
              change({ best_before: target.value === proposed ? "" : target.value }),
          }),
      ),
  );
}

/** @param {import("../main.js").TerminalApp} app @param {Table} table */
async function keep(app, table) {
  const filled = [...table.rows].filter(([, { qty }]) => qty.trim() !== "");
  const results = filled.map(([product, { qty, best_before }]) => {
    const entry = { product, qty, made_on: table.made_on, best_before };
    return { product, ...checked(entry, app.catalogue, app.today) };
  });
  table.faults = new Map();
  for (const { product, fault } of results) if (fault) table.faults.set(product, fault);
  app.table = table;
  if (!filled.length) {
    app.show("table", { kind: "bad", text: tr("Nothing is written in the table.") });
    return;
  }
  if (table.faults.size) {
    const text = tr("{faults:line needs|lines need} another look. Nothing is recorded yet.", { faults: table.faults.size });
    app.show("table", { kind: "bad", text });
    document.getElementById(`qty-${[...table.faults.keys()][0]}`)?.focus();
    return;
  }
  const goods = results.flatMap(({ goods }) => (goods ? [goods] : []));
  if (await app.keep(() => app.terminal.record(goods))) app.table = null;
}
