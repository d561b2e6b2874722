import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { escapeXml, readXml, xmlChild, xmlText } from "../../../src/storage/remote/xml.js";

describe("XML of listings", () => {
  it("gives elements and their text", () => {
    const root = readXml(
      `<?xml version="1.0" encoding="utf-8"?>
       <!-- a > b --><s:List xmlns:s='urn:x' a="1 > 0 &amp; so on">
         <Name>a&lt;b&#x41;&#66;&apos;</Name><Empty/><Name>c<![CDATA[<&]]>d</Name>
       </s:List>\n`,
      "here",
    );
    expect(root.name).toBe("List");
    expect(root.children.map(({ name, text }) => [name, text])).toEqual([
      ["Name", "a<bAB'"],
      ["Empty", ""],
      ["Name", "c<&d"],
    ]);
    expect(xmlText(root, "Name")).toBe("a<bAB'");
    expect(xmlChild(root, "None")).toBeUndefined();
  });

  it("gives back any text", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme" }), { maxLength: 5 }), (texts) => {
        const inside = texts.map((text) => `<k>${escapeXml(text)}</k>`).join("");
        const root = readXml(`<r>${inside}</r>`, "here");
        expect(root.children.map(({ text }) => text)).toEqual(texts);
      }),
    );
  });

  it.each([
    "",
    "no XML",
    "<a>",
    "<a><b></a></b>",
    "</a>",
    "<a/><b/>",
    "<a",
    "<a b='c>",
    "< a/>",
    "<a><!-- </a>",
    "<a><![CDATA[ </a>",
    "<!DOCTYPE a [<!ENTITY b 'cc'>]><a>&b;</a>",
    "<a>&b;</a>",
    "<a>&amp</a>",
    "<a>&#x110000;</a>",
    "<a>&toString;</a>",
    `${"<a>".repeat(100)}${"</a>".repeat(100)}`,
  ])("refuses %j", (text) => {
    expect(() => readXml(text, "here")).toThrow(/the server's XML is malformed: .* \(here\)/);
  });
});
