// Writes vectors.json: what the calculator that Twilio publishes says of each text. In a folder of its own:
//
//     npm install sms-segments-calculator@1.3.0
//     node …/tests/unit/model/segment_vectors/make.mjs

import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { differing, edges, refused } from "./edges.mjs";
import { everyday } from "./everyday.mjs";
import { random } from "./random.mjs";

const PACKAGE = "sms-segments-calculator";

// The package lies where this is called, not beside this file.
const installed = createRequire(resolve("made-here.js"));
const { SegmentedMessage } = installed(PACKAGE);
const { version } = installed(`${PACKAGE}/package.json`);

// Smart encoding, which replaces characters before it counts, is off.
const measured = (text) => {
    const message = new SegmentedMessage(text, "auto", false);
    return {
        text,
        encoding: message.encodingName,
        units: message.encodedChars.reduce((sum, character) => sum + character.codeUnits.length, 0),
        segments: message.segmentsCount,
    };
};

const vectors = [
    ...[...edges, ...everyday, ...random].map(measured),
    ...differing.map(({ text, byStandard, reason }) => ({ ...measured(text), segments_by_standard: byStandard, reason })),
    ...refused.map(({ text, reason }) => ({ ...measured(text), refused: reason })),
];

const escaped = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
const inAscii = (value) => JSON.stringify(value).replace(/[\u007f-\uffff]/g, escaped);

const lines = vectors.map(inAscii).join(",\n");
const made = `{\n"made_with": "${PACKAGE} ${version}",\n"vectors": [\n${lines}\n]\n}\n`;
writeFileSync(new URL("vectors.json", import.meta.url), made);
