// The rows of the generated tables: facts and the answer of the law to them.

// The code of the refusal, or null.
export function answerTo(rows, facts) {
  const row = rows.find(({ if: supposed }) =>
    Object.entries(supposed).every(([fact, values]) => values.includes(facts[fact])),
  );
  return row.refuse;
}
