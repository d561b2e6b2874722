import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { TestContext } from "vitest";
import { runtime } from "../support/runtimes.js";

/** What is used of playwright-core. */
export interface Page {
  goto(url: string): Promise<unknown>;
  evaluate(expression: string): Promise<unknown>;
  on(event: "pageerror" | "console", listener: (message: object) => void): void;
  /** Web Workers that the page has started. */
  workers(): readonly object[];
  waitForFunction(expression: string): Promise<unknown>;
}
interface Browser {
  newPage(): Promise<Page>;
  close(): Promise<void>;
}
interface Playwright {
  readonly chromium: { launch(options: object): Promise<Browser> };
}

/** A page of a Chromium that is started for it, with these flags. */
export async function inBrowser(
  context: TestContext,
  use: (page: Page) => Promise<void>,
  flags: readonly string[] = ["--disable-gpu"],
): Promise<void> {
  const executablePath = await runtime("chromium", context);
  const folder = await runtime("playwright-core", context);
  const { chromium } = (await import(pathToFileURL(join(folder, "index.mjs")).href)) as Playwright;
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-dev-shm-usage", ...flags],
  });
  try {
    const page = await browser.newPage();
    page.on("pageerror", (error) => {
      throw error;
    });
    await use(page);
  } finally {
    await browser.close();
  }
}
