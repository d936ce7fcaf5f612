package pages

// Example is a task that a reader can start by one click.
type Example struct {
	// Name and About say what it shows.
	Name, About string
	// Document is the TaskSpec.
	Document string
}

// examples are the tasks that the page of a new run offers.
func examples() []Example {
	return []Example{{
		Name:  "Two sums side by side",
		About: "The calculator twice, and an answer made of both.",
		Document: `{
  "schema_version": 2,
  "goal": "Add the first ten numbers, and multiply the first five",
  "inputs": [
    {
      "name": "plan",
      "data": {
        "steps": [
          {"id": "sum", "tool": "calculator", "args": {"expression": "(1 + 10) * 10 / 2"}},
          {"id": "product", "tool": "calculator", "args": {"expression": "1 * 2 * 3 * 4 * 5"}}
        ],
        "answers": ["The sum is 55, the product 120."]
      }
    }
  ],
  "allowed_tools": ["calculator"]
}
`,
	}}
}
