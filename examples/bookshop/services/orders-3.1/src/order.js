import { z } from "zod";

/** What a buyer sends. `reference` is chosen by the buyer, so that an order sent twice is stored once. */
export function newOrder({ copiesMax }) {
  return z
    .object({
      reference: z.string().uuid(),
      customer: z.string().trim().min(1).max(80),
      note: z.string().trim().max(400).default(""),
      items: z
        .array(
          z.object({
            bookId: z.number().int().positive(),
            quantity: z.number().int().min(1).max(copiesMax),
          }),
        )
        .min(1)
        .max(50)
        .refine((items) => new Set(items.map((item) => item.bookId)).size === items.length, {
          message: "a book may stand in an order once",
        }),
    })
    .strict();
}

/** An order that cannot be taken: `code` for programs, the message for people. */
export class Refusal extends Error {
  constructor(code, status, message) {
    super(message);
    this.code = code;
    this.statusCode = status;
  }
}
