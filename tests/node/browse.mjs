// A headless Chromium by remote control. Reads one command a line from stdin, {page, do, with}, and writes one answer a
// line, {value} or {error}; ends with stdin. Pages are numbered as they are opened, each in a browser of its own.
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
  ],
});
const pages = [];

const innermost = (page) => page.frames().at(-1); // the page itself where it has no frame

const commands = {
  async open(_, options) {
    const page = await (await browser.newContext(options)).newPage();
    page.setDefaultTimeout(PATIENCE);
    const complaints = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    return pages.push({ page, complaints }) - 1;
  },
  go: ({ page }, address) => page.goto(address).then(() => page.url()),
  address: ({ page }) => page.url(),
  text: ({ page }) => page.locator("body").innerText(),
  press: ({ page }, key) => page.keyboard.press(key),
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
    await innermost(page).evaluate(axe);
    return innermost(page).evaluate("axe.run()");
  },
  within: ({ page }, source) => innermost(page).evaluate(source),
  click: ({ page }, { role, name }) => innermost(page).getByRole(role, { name, exact: true }).click(),
  miss: ({ page }, { role, name }) =>
    innermost(page).getByRole(role, { name, exact: true }).waitFor({ state: "detached" }),
  see: ({ page }, text) => innermost(page).getByText(text).first().waitFor(),
  picture: ({ page }, path) => page.screenshot({ path, fullPage: true, animations: "disabled" }).then(() => path),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { page, do: command, with: argument } = JSON.parse(line);
  const answer = await Promise.resolve()
    .then(() => commands[command](pages[page], argument))
    .then((value) => ({ value: value ?? null }), (error) => ({ error: String(error) }));
  process.stdout.write(JSON.stringify(answer) + "\n");
}
await browser.close();
