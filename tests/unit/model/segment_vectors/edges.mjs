// Texts at the edges of alphabets and segments, and beyond what the hub takes.

export const BASIC =
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
export const EXTENSION = [..."\f^{}\\[~]|€"];

// Near to the alphabet, but not in it.
const FOREIGN = [
    ..."`çÁÍÓÚÊõœŸ°·½\u00b5\u00a0\t\u0001\u001b\u007f\u0085ω\u2126жא中",
    ..."\u2019\u201c\u2013\u2014\u2026\u20a4\ufb01\ufffd",
];
const EMOJI = "\u{1F600}";
const QUOTE = "\u2019";

// What readers see as one character, of several code points.
const GRAPHEMES = {
    accent: "e\u0301",
    devanagari: "\u0928\u093F",
    thai: "\u0E01\u0E47",
    keycap: "1\uFE0F\u20E3",
    skin: "\u{1F44D}\u{1F3FD}",
    flag: "\u{1F1FA}\u{1F1F8}",
    family: "\u{1F468}\u200D\u{1F469}\u200D\u{1F467}\u200D\u{1F466}",
    rainbow: "\u{1F3F3}\uFE0F\u200D\u{1F308}",
};

const a = (count) => "a".repeat(count);
const zh = (count) => "ж".repeat(count);
const filled = (text, length) => text + "y".repeat(Math.max(0, length - text.length));
const rows = (characters, size) => characters.match(new RegExp(`[^]{1,${size}}`, "gu"));

function* alphabets() {
    yield* ["a", "@", "0", "?", "à", "Ω", "ж", "中", EMOJI];
    yield BASIC;
    yield* rows(BASIC, 16);
    yield EXTENSION.join("");
    for (const character of FOREIGN) yield `a${character}`;
    for (const character of FOREIGN.slice(0, 8)) yield character + a(69);
    for (const character of FOREIGN.slice(8, 16)) yield a(70) + character;
}

function* gsm7() {
    for (const length of [2, 80, 152, 153, 154, 159, 160, 161, 305, 306, 307, 458, 459, 460]) yield a(length);
    for (const length of [611, 612, 613, 764, 765, 766, 917, 918, 919, 1071, 1072, 1530, 1531, 1599]) yield a(length);
    yield a(1600);
    for (const length of [160, 161, 306, 307]) yield "é".repeat(length);
}

function* escapes() {
    for (const character of EXTENSION) {
        if (character !== "\f") yield character;
        yield a(158) + character;
        yield a(159) + character;
        yield a(152) + character + a(152);
        yield a(151) + character + a(153);
    }
    for (const count of [79, 80, 81, 152, 153, 154, 228, 229, 306]) yield "{".repeat(count);
    for (const count of [79, 80, 152, 153, 228, 229]) yield "a" + "|".repeat(count);
    // Each segment of a longer text loses a septet where an escape sequence would be split.
    yield `${a(152)}{${a(151)}}${a(151)}]${a(151)}`;
    yield `${a(152)}{${a(150)}}${a(150)}`;
    yield `${a(304)}{`;
    yield `${a(305)}{`;
    yield `${a(152)}{${a(151)}{`;
}

function* ucs2() {
    for (const length of [66, 67, 68, 69, 70, 71, 132, 133, 134, 135, 200, 201, 202, 268, 269]) yield zh(length);
    yield zh(1600);
    for (const length of [68, 69, 70, 133, 134]) yield a(length) + QUOTE;
    for (const length of [69, 70, 133, 134]) yield `\u201c${a(length - 1)}\u201d`;
    for (const count of [68, 69, 70, 132, 133, 134]) yield "ж" + "{".repeat(count);
    for (const count of [69, 70, 133, 134]) yield "中" + "€".repeat(count);
    for (const length of [160, 161, 306, 1599]) yield a(length - 1) + "ж";
}

function* surrogatePairs() {
    for (const count of [33, 34, 35, 36, 66, 67, 99, 100, 800, 801]) yield EMOJI.repeat(count);
    for (const count of [33, 34, 35, 65, 66, 67, 98]) yield "x" + EMOJI.repeat(count);
    for (const before of [65, 66, 67, 68, 69]) {
        yield zh(before) + EMOJI;
        yield zh(before) + EMOJI + zh(132 - before);
        yield zh(before) + EMOJI + zh(133 - before);
    }
    yield zh(66) + EMOJI + zh(65) + EMOJI + zh(65) + EMOJI;
    yield a(159) + EMOJI;
    yield a(1598) + EMOJI;
}

function* graphemes() {
    for (const grapheme of Object.values(GRAPHEMES)) {
        yield grapheme;
        yield filled(zh(70 - grapheme.length) + grapheme, 70);
        yield filled(zh(71 - grapheme.length) + grapheme, 71);
        // Whole in the first segment, and the second is full.
        yield filled(zh(67 - grapheme.length) + grapheme, 134);
        // Across the end of the first, where the second has room.
        yield filled(zh(66) + grapheme, 125);
    }
    yield GRAPHEMES.accent.repeat(35);
    yield GRAPHEMES.accent.repeat(70);
    yield GRAPHEMES.family.repeat(9);
}

function* lineBreaks() {
    for (const lineBreak of ["\n", "\r\n", "\r"]) {
        yield `one${lineBreak}two`;
        yield `${lineBreak}a`;
        for (const [before, after] of [[79, 79], [80, 79], [200, 105], [152, 152]]) {
            yield a(before) + lineBreak + a(after);
        }
        for (const [before, after] of [[34, 34], [34, 35], [66, 66]]) yield zh(before) + lineBreak + zh(after);
    }
    yield "a\n\n\nb\r\n\r\nc";
    yield "line\n".repeat(32);
    yield "line\n".repeat(33);
    yield "line\r\n".repeat(26);
    yield "line\r\n".repeat(27);
    yield "a\u2028b\u2029c";
}

export const edges = [alphabets, gsm7, escapes, ucs2, surrogatePairs, graphemes, lineBreaks].flatMap((texts) => [
    ...texts(),
]);

// Where the reference is not followed. It keeps in one segment what readers see as one character; the standard asks
// for that with escape sequences and UCS-2 characters alone.
export const differing = [
    ...["accent", "devanagari", "skin", "family"].map((name) => {
        const [first] = GRAPHEMES[name];
        return {
            text: filled(zh(67 - first.length) + GRAPHEMES[name], 134),
            byStandard: 2,
            reason: "a grapheme may be split",
        };
    }),
    { text: `e${"\u0301".repeat(200)}`, byStandard: 3, reason: "no segment holds a grapheme of 201 units" },
];

// What the hub does not send, and why.
export const refused = [
    { text: "", reason: "is blank" },
    { text: " ", reason: "is blank" },
    { text: "\f", reason: "is blank" },
    { text: " \r\n\t ", reason: "is blank" },
    { text: "a\u0000b", reason: "has a character that cannot be sent" },
    { text: "a\ud83d", reason: "has a character that cannot be sent" },
    { text: "\ude00a", reason: "has a character that cannot be sent" },
    { text: a(1601), reason: "is longer than 1600 characters" },
];
