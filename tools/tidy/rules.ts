import { CODE_RULES } from "./code-rules.ts";
import { IMPORT_RULES } from "./import-rules.ts";
import { ROOM_RULES } from "./room-rules.ts";
import type { Rule } from "./rule.ts";
import { WORD_RULES } from "./word-rules.ts";

export const RULES: readonly Rule[] = [...ROOM_RULES, ...IMPORT_RULES, ...CODE_RULES, ...WORD_RULES];
