/** The moments of a cron line: each a set of numbers. Days count as in cron: when both are restricted, either suffices. */
export interface CronLine {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly daysOfMonth: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** 0 is Sunday. */
  readonly daysOfWeek: ReadonlySet<number>;
  /** Both kinds of days are restricted: either suffices. */
  readonly eitherDay: boolean;
}

interface Field {
  readonly word: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const FIELDS: readonly Field[] = [
  { word: "minute", min: 0, max: 59 },
  { word: "hour", min: 0, max: 23 },
  { word: "day of month", min: 1, max: 31 },
  { word: "month", min: 1, max: 12, names: MONTHS },
  { word: "day of week", min: 0, max: 7, names: DAYS },
];

/** Reads five fields of numbers, names, `*`, ranges, lists and steps; or says what is wrong. */
export function parseCronLine(line: string): { readonly value: CronLine } | { readonly message: string } {
  const texts = line.trim().split(/\s+/);
  if (texts.length !== 5 || texts[0] === "")
    return {
      message: `a schedule has five fields (minute, hour, day of month, month, day of week), this has ${texts[0] === "" ? 0 : texts.length}`,
    };
  const sets: Set<number>[] = [];
  for (const [index, field] of FIELDS.entries()) {
    const numbers = parseField(texts[index]!, field);
    if (numbers === undefined)
      return {
        message: `${field.word} \`${texts[index]}\` is not a number from ${field.min} to ${field.max}, a range, a list, or *`,
      };
    sets.push(numbers);
  }
  const [minutes, hours, daysOfMonth, months, weekDays] = sets as [
    Set<number>,
    Set<number>,
    Set<number>,
    Set<number>,
    Set<number>,
  ];
  const daysOfWeek = new Set([...weekDays].map((day) => day % 7));
  const eitherDay = !texts[2]!.startsWith("*") && !texts[4]!.startsWith("*");
  return { value: { minutes, hours, daysOfMonth, months, daysOfWeek, eitherDay } };
}

function parseField(text: string, field: Field): Set<number> | undefined {
  const numbers = new Set<number>();
  for (const part of text.toLowerCase().split(",")) {
    const match = /^(?:(\*)|([a-z]{3}|\d{1,2})(?:-([a-z]{3}|\d{1,2}))?)(?:\/(\d{1,2}))?$/.exec(part);
    if (match === null) return undefined;
    const [, star, first, last, step] = match;
    const from = star ? field.min : numberOf(first!, field);
    const to =
      star || (last === undefined && step !== undefined) ? field.max : numberOf(last ?? first!, field);
    const by = step === undefined ? 1 : Number(step);
    if (from === undefined || to === undefined || by === 0 || from < field.min || to > field.max || from > to)
      return undefined;
    for (let number = from; number <= to; number += by) numbers.add(number);
  }
  return numbers;
}

function numberOf(text: string, field: Field): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  const index = field.names?.indexOf(text) ?? -1;
  return index < 0 ? undefined : index + (field.min === 1 ? 1 : 0);
}
