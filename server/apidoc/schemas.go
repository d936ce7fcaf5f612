package apidoc

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"axiom25/contracts"
)

// schemas returns every schema by name: those of package contracts, and the few that say what no struct does.
func schemas(describe contracts.Describe) (object, error) {
	components, err := contracts.Components(schemasAt, describe)
	if err != nil {
		return nil, err
	}
	var list object
	for _, c := range components {
		list = append(list, member{c.Name, c.Schema})
	}
	shown, err := shownTask(list)
	if err != nil {
		return nil, err
	}
	list = append(list, shown...)
	if err := errors.Join(allowEarlierTools(list), allowEarlierTask(list)); err != nil {
		return nil, err
	}
	for _, name := range inputContracts() {
		list = append(list, member{name + "V1", earlier(name)})
	}
	list = append(list, member{"Health", object{
		{"type", "object"},
		{"description", "That the server answers, or takes runs."},
		{"properties", object{
			{"status", object{{"enum", []string{"ok", "ready"}}}},
			{"version", object{{"type", "string"}, {"description", "The server's version."}}},
		}},
		{"required", []string{"status", "version"}},
	}})
	slices.SortFunc(list, func(a, b member) int { return cmp.Compare(a.name, b.name) })
	return list, nil
}

// earlier is what is said here of a document of version 1, whose schema the server has at a place of its own.
func earlier(name string) object {
	return object{
		{"type", "object"},
		{"description", fmt.Sprintf("%s in version 1, as /schemas/v1/%s.json has it.", name, strings.ToLower(name))},
		{"properties", object{{"schema_version", object{{"const", 1}}}}},
		{"required", []string{"schema_version"}},
		{"additionalProperties", true},
	}
}

// shownTask returns the schemas of a TaskSpec that may lack the content of its sensitive inputs: those of TaskSpec and
// Input, without the rules of Input that tie its members to each other.
func shownTask(list object) (object, error) {
	task, err := schemaNamed(list, "TaskSpec")
	if err != nil {
		return nil, err
	}
	input, err := schemaNamed(list, "Input")
	if err != nil {
		return nil, err
	}
	delete(input, "allOf")
	input["description"] = "An input as it is shown: a sensitive one without its content."
	task["description"] = "A TaskSpec as it is shown: a sensitive input without its content."
	properties, _ := task["properties"].(map[string]any)
	inputs, _ := properties["inputs"].(map[string]any)
	if inputs["items"] == nil || input["properties"] == nil {
		return nil, errors.New("a TaskSpec has no list of inputs")
	}
	inputs["items"] = ref("InputShown")
	return object{{"TaskShown", task}, {"InputShown", input}}, nil
}

// allowEarlierTools says of the catalogue what a server does that gives tools out in version 1.
func allowEarlierTools(list object) error {
	entry, err := schemaNamed(list, "ToolEntry")
	if err != nil {
		return err
	}
	tools, err := schemaNamed(list, "ToolList")
	if err != nil {
		return err
	}
	entries, _ := entry["properties"].(map[string]any)
	lists, _ := tools["properties"].(map[string]any)
	if entries["spec"] == nil || lists == nil {
		return errors.New("a catalogue has no tools")
	}
	entries["spec"] = anyVersion("ToolSpec").with("description", "The definition. A server that was started for version 1 writes that.")
	lists["left_out"] = object{
		{"type", "array"},
		{"description", "The tools that version 1 cannot say, on a server that was started for it, and what of them would be lost."},
		{"items", object{
			{"type", "object"},
			{"properties", object{
				{"name", object{{"type", "string"}}},
				{"version", object{{"type", "string"}}},
				{"errors", object{{"type", "array"}, {"items", ref("FieldError")}}},
			}},
			{"required", []string{"name", "version", "errors"}},
		}},
	}
	for i := range list {
		switch list[i].name {
		case "ToolEntry":
			list[i].value = entry
		case "ToolList":
			list[i].value = tools
		}
	}
	return nil
}

// allowEarlierTask says of a fork that its task names a version of its own.
func allowEarlierTask(list object) error {
	fork, err := schemaNamed(list, "ForkRequest")
	if err != nil {
		return err
	}
	properties, _ := fork["properties"].(map[string]any)
	if properties["task"] == nil {
		return errors.New("a fork has no task")
	}
	properties["task"] = anyVersion("TaskSpec").with("description", "The task of the new run, in the version that it names; the parent's where absent.")
	for i := range list {
		if list[i].name == "ForkRequest" {
			list[i].value = fork
		}
	}
	return nil
}

// schemaNamed returns a copy of a schema that can be changed.
func schemaNamed(list object, name string) (map[string]any, error) {
	for _, m := range list {
		if raw, ok := m.value.(json.RawMessage); ok && m.name == name {
			var schema map[string]any
			err := json.Unmarshal(raw, &schema)
			return schema, err
		}
	}
	return nil, fmt.Errorf("no schema %s", name)
}

// reachable returns those of the schemas that a document refers to, or that these refer to.
func reachable(list object, doc any) (object, error) {
	raw, err := contracts.Encode(doc)
	if err != nil {
		return nil, err
	}
	wanted := make(map[string]bool)
	for found := [][]byte{raw}; len(found) > 0; found = found[1:] {
		for _, name := range refsIn(found[0]) {
			if wanted[name] {
				continue
			}
			wanted[name] = true
			for _, m := range list {
				if m.name != name {
					continue
				}
				schema, err := contracts.Encode(m.value)
				if err != nil {
					return nil, err
				}
				found = append(found, schema)
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(list), func(m member) bool { return !wanted[m.name] }), nil
}

// refsIn returns the names of the schemas that compact JSON refers to.
func refsIn(raw []byte) []string {
	var names []string
	rest, marker := string(raw), `"$ref":"`+schemasAt
	for {
		_, after, ok := strings.Cut(rest, marker)
		if !ok {
			return names
		}
		name, behind, _ := strings.Cut(after, `"`)
		names, rest = append(names, name), behind
	}
}
