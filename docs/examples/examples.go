// Package examples holds tasks to start from, on real data. README.md beside it says where the data is from.
package examples

import (
	"embed"
	"fmt"
)

//go:embed *.json
var files embed.FS

// Example is a task that can be posted to POST /runs as it stands.
type Example struct {
	// Name is the file's, without .json.
	Name string
	// Title says what the example shows, in a few words.
	Title string
	// Task is the TaskSpec.
	Task []byte
}

// All returns the examples, the simplest first.
func All() ([]Example, error) {
	list := []Example{
		{Name: "planets", Title: "Planets: SQL and arithmetic side by side"},
		{Name: "elements", Title: "Elements: a check that fails, and a revision that passes"},
		{Name: "sign-off", Title: "Densities: a statement that waits for your approval"},
		{Name: "countries", Title: "Countries: a budget that runs out"},
	}
	for i := range list {
		task, err := files.ReadFile(list[i].Name + ".json")
		if err != nil {
			return nil, fmt.Errorf("example %s: %w", list[i].Name, err)
		}
		list[i].Task = task
	}
	return list, nil
}
