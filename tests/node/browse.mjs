// A headless Chromium by remote control. Reads one command a line from stdin, {page, do, with}, and writes one answer a
// line, {value} or {error}; ends with stdin. Pages are numbered as they are opened, each in a browser of its own. One that
// is closed is opened again without its cookies: to start another takes four times as long.
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";

import { chromium } from "playwright-core";

const PATIENCE = 20_000; // milliseconds that anything may take
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await chromium.launch({
  executablePath: process.argv[2],
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-site-isolation-trials", // a process for each frame takes longer than what most tests do in it
  ],
});
const pages = [];
const closed = []; // with the options that a page has for good

const innermost = (page) => page.frames().at(-1); // the page itself where it has no frame

const commands = {
  async open(_, { viewport, colorScheme, ...options }) {
    const made = JSON.stringify(options);
    const at = closed.findIndex((one) => one.made === made);
    const page = at < 0 ? await (await browser.newContext(options)).newPage() : closed.splice(at, 1)[0].page;
    page.setDefaultTimeout(PATIENCE);
    const complaints = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    const number = pages.push({ page, made, complaints }) - 1;
    await commands.look(pages[number], { viewport, colorScheme });
    return number;
  },
  async close({ page, made }) {
    page.removeAllListeners("console");
    page.removeAllListeners("pageerror");
    await page.goto("about:blank");
    await page.context().clearCookies();
    closed.push({ page, made });
  },
  look: ({ page }, { viewport, colorScheme }) =>
    Promise.all([page.setViewportSize(viewport), page.emulateMedia({ colorScheme })]).then(() => null),
  go: ({ page }, address) => page.goto(address).then(() => page.url()),
  address: ({ page }) => page.url(),
  text: ({ page }) => page.locator("body").innerText(),
  press: ({ page }, key) => page.keyboard.press(key),
  type: ({ page }, text) => page.keyboard.type(text),
  submit: async ({ page }, { key, until }) => {
    // Not waitForURL, which has seen enough where a form leads back to its own page.
    const led = page.waitForNavigation({ url: (address) => address.href.startsWith(until) });
    await Promise.all([led, page.keyboard.press(key)]);
    return page.url();
  },
  script: ({ page }, source) => page.evaluate(source),
  frames: ({ page }) => Promise.all(page.frames().map(async (frame) => [frame.url(), await frame.title()])),
  complaints: ({ complaints }) => complaints,
  async accessibility({ page }) {
    if (!(await innermost(page).evaluate("'axe' in window"))) await innermost(page).evaluate(axe);
    return innermost(page).evaluate("axe.run({ resultTypes: ['violations'] })");
  },
  within: ({ page }, source) => innermost(page).evaluate(source),
  click: ({ page }, { role, name }) => innermost(page).getByRole(role, { name, exact: true }).click(),
  miss: ({ page }, { role, name }) =>
    innermost(page).getByRole(role, { name, exact: true }).waitFor({ state: "detached" }),
  see: ({ page }, text) => innermost(page).getByText(text).first().waitFor(),
  picture: ({ page }, { path, whole }) => page.screenshot({ path, fullPage: whole, animations: "disabled" }).then(() => path),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { page, do: command, with: argument } = JSON.parse(line);
  const answer = await Promise.resolve()
    .then(() => commands[command](pages[page], argument))
    .then((value) => ({ value: value ?? null }), (error) => ({ error: String(error) }));
  process.stdout.write(JSON.stringify(answer) + "\n");
}
await browser.close();
