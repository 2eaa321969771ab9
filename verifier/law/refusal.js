// Every way in which the law says no: a code of the tables, and a sentence with both values.

export class Refusal extends Error {
  constructor(code, message, pointer = null) {
    super(message);
    this.code = code;
    this.pointer = pointer;
  }
}

export function refuse(code, message, pointer = null) {
  throw new Refusal(code, message, pointer);
}
