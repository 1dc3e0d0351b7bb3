// Texts of random characters, the same in each run, of lengths about the edges of segments.

import { BASIC, EXTENSION } from "./edges.mjs";

const CYRILLIC_AND_MORE = [..."абвгдежзийклмнопрстуфхцчшщьюя ,.!?\u2019\u201c\u2026çêõ中文短信{}[]€|"];
const EMOJI = [..."\u{1F600}\u{1F389}\u{1F680}\u{1F48A}\u{1D11E}\u{20BB7}\u{1F9EA}\u{1F3E5}"];

const KINDS = [
    { characters: [...BASIC], lengths: [30, 158, 160, 161, 305, 306, 307, 459, 460, 700] },
    { characters: [...BASIC, ...EXTENSION], lengths: [30, 120, 145, 150, 155, 283, 285, 287, 300, 430, 700, 1500] },
    { characters: [..."aeiou", ...EXTENSION], lengths: [90, 95, 100, 150, 180, 185, 190, 195, 280, 290] },
    { characters: CYRILLIC_AND_MORE, lengths: [40, 69, 70, 71, 133, 134, 135, 201, 202, 400] },
    {
        characters: [..."abc def жзи 中文 \u2019{}€", ...EMOJI],
        lengths: [30, 50, 52, 54, 60, 98, 100, 102, 104, 106, 150, 155, 160, 900],
    },
    { characters: ["ж", ...EMOJI], lengths: [34, 35, 36, 65, 66, 67, 68, 69, 70, 71, 100, 140] },
];

// The Lehmer generator (multiplier 48271, modulus 2^31 - 1).
function* numbers(seed) {
    for (let state = seed; ; ) {
        state = (state * 48_271) % 0x7fffffff;
        yield state;
    }
}

const chance = numbers(20_261_125);
const oneOf = (characters) => characters[chance.next().value % characters.length];

export const random = KINDS.flatMap(({ characters, lengths }) =>
    lengths.map((length) => Array.from({ length }, () => oneOf(characters)).join("")),
);
