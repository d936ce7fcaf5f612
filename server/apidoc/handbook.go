package apidoc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"axiom25/contracts"
	"axiom25/docs/handbook"
)

// Handbook returns the table of operations and their groups as the console shows them.
func Handbook() ([]handbook.Group, []handbook.Route, error) {
	var groups []handbook.Group
	for _, tag := range tags() {
		name, _ := tag[0].value.(string)
		about, _ := tag[1].value.(string)
		groups = append(groups, handbook.Group{Name: name, About: about})
	}
	var routes []handbook.Route
	for _, op := range Operations() {
		route, err := op.handbook()
		if err != nil {
			return nil, nil, fmt.Errorf("%s %s: %w", op.Method, op.Path, err)
		}
		routes = append(routes, route)
	}
	return groups, routes, nil
}

func (o *Operation) handbook() (handbook.Route, error) {
	r := handbook.Route{ID: o.ID, Method: o.Method, Path: o.Path, Group: o.Tag, Summary: o.Summary, Description: o.Description}
	for _, p := range o.Parameters {
		words, err := schemaWords(p.Schema)
		if err != nil {
			return r, err
		}
		example, err := plainExample(p.Example)
		if err != nil {
			return r, err
		}
		r.Parameters = append(r.Parameters, handbook.Parameter{Name: p.Name, In: p.In, About: p.Description, Type: words, Example: example})
	}
	if o.Body != nil {
		shown, err := contentsOf(o.Body.Contents)
		if err != nil {
			return r, err
		}
		r.Body = &handbook.Body{About: o.Body.Description, Optional: o.Body.Optional, Contents: shown}
	}
	for _, a := range o.Answers {
		shown, err := contentsOf(a.Contents)
		if err != nil {
			return r, err
		}
		r.Answers = append(r.Answers, handbook.Answer{Status: a.Status, About: a.Description, Headers: a.Headers, Contents: shown})
	}
	for _, t := range o.everyProblem() {
		r.Problems = append(r.Problems, string(t))
	}
	return r, nil
}

func contentsOf(list []Content) ([]handbook.Content, error) {
	var shown []handbook.Content
	for _, c := range list {
		example, err := bodyExample(c.Example)
		if err != nil {
			return nil, err
		}
		content := handbook.Content{Media: c.Media, Example: example}
		for _, f := range c.Frames {
			frame, err := f.sent()
			if err != nil {
				return nil, err
			}
			content.Frames = append(content.Frames, handbook.Frame{Title: f.Title, About: f.Description, Example: frame})
		}
		shown = append(shown, content)
	}
	return shown, nil
}

// sent returns the frame as it goes over the wire.
func (f Frame) sent() (string, error) {
	var b strings.Builder
	if f.Retry != nil {
		b.WriteString("retry: " + firstNumber(f.Retry) + "\n")
	}
	if f.Comment != "" {
		b.WriteString(": " + f.Comment + "\n")
	}
	if f.ID != nil {
		b.WriteString(strings.TrimSpace("id: "+firstNumber(f.ID)) + "\n")
	}
	if f.Event != "" {
		b.WriteString("event: " + f.Event + "\n")
	}
	if f.Example != nil {
		data, err := contracts.Encode(f.Example)
		if err != nil {
			return "", err
		}
		b.WriteString("data: " + string(data) + "\n")
	}
	return b.String(), nil
}

// firstNumber is a number that a schema allows; nothing where it is the schema of the empty text.
func firstNumber(schema any) string {
	s, _ := schema.(object)
	for _, name := range []string{"const", "minimum"} {
		for _, m := range s {
			if m.name == name {
				return fmt.Sprint(m.value)
			}
		}
	}
	return "1"
}

// bodyExample is an example as the text of a body.
func bodyExample(example any) (string, error) {
	switch v := example.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	}
	compact, err := contracts.Encode(example)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	err = json.Indent(&b, compact, "", "  ")
	return b.String(), err
}

// plainExample is an example as it stands in an address: of a list, the first.
func plainExample(example any) (string, error) {
	compact, err := contracts.Encode(example)
	if err != nil {
		return "", err
	}
	var value any
	if err := json.Unmarshal(compact, &value); err != nil {
		return "", err
	}
	if list, ok := value.([]any); ok && len(list) > 0 {
		value = list[0]
	}
	if text, ok := value.(string); ok {
		return text, nil
	}
	return strings.Trim(string(compact), "[]"), nil
}

// schemaWords says in words what the schema of a parameter says.
func schemaWords(schema any) (string, error) {
	compact, err := contracts.Encode(schema)
	if err != nil {
		return "", err
	}
	var s struct {
		Type    string   `json:"type"`
		Enum    []string `json:"enum"`
		Pattern string   `json:"pattern"`
		Format  string   `json:"format"`
		Minimum *int64   `json:"minimum"`
		Maximum *int64   `json:"maximum"`
		Default *int64   `json:"default"`
		Items   any      `json:"items"`
		Most    int      `json:"maxItems"`
	}
	if err := json.Unmarshal(compact, &s); err != nil {
		return "", err
	}
	if s.Items != nil {
		words, err := schemaWords(s.Items)
		if s.Most > 0 {
			words += ", up to " + strconv.Itoa(s.Most)
		}
		return words + ", repeatable", err
	}
	words := s.Type
	switch {
	case s.Enum != nil:
		words = "one of " + strings.Join(s.Enum, ", ")
	case s.Format == "date-time":
		words = "time (RFC 3339)"
	case s.Pattern != "":
		words += " like `" + s.Pattern + "`"
	case s.Minimum != nil && s.Maximum != nil:
		words += " from " + strconv.FormatInt(*s.Minimum, 10) + " to " + strconv.FormatInt(*s.Maximum, 10)
	}
	if s.Default != nil {
		words += "; " + strconv.FormatInt(*s.Default, 10) + " where absent"
	}
	return words, nil
}
