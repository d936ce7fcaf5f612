package intake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"axiom25/contracts"
)

// redactedJSON stands in events and receipts for what must not be shown.
const redactedJSON = `"[redacted]"`

// redact returns doc with what the JSON Pointers name replaced. A pointer to nothing changes nothing. Where no
// pointer hits, the bytes stay as they are but for white space.
func redact(doc json.RawMessage, pointers []string) (json.RawMessage, error) {
	if doc == nil {
		return nil, nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, doc); err != nil {
		return nil, err
	}
	if len(pointers) == 0 {
		return compact.Bytes(), nil
	}
	root, err := parseJSON(compact.Bytes())
	if err != nil {
		return nil, err
	}
	hit := false
	for _, pointer := range pointers {
		if pointer == "" {
			return json.RawMessage(redactedJSON), nil
		}
		if hideAt(root, strings.Split(pointer[1:], "/")) {
			hit = true
		}
	}
	if !hit {
		return compact.Bytes(), nil
	}
	return contracts.Encode(root)
}

// redactedText is the value that takes the place of what is hidden.
const redactedText = "[redacted]"

// unescapePointer undoes the two escapes of RFC 6901, section 3.
var unescapePointer = strings.NewReplacer("~1", "/", "~0", "~") //nolint:gochecknoglobals // a constant that Go cannot say

// hideAt replaces the value that path leads to, and reports whether there was one.
func hideAt(node any, path []string) bool {
	key := unescapePointer.Replace(path[0])
	switch node := node.(type) {
	case map[string]any:
		child, ok := node[key]
		if !ok {
			return false
		}
		if len(path) == 1 {
			node[key] = redactedText
			return true
		}
		return hideAt(child, path[1:])
	case []any:
		i, err := strconv.Atoi(key)
		if err != nil || i < 0 || i >= len(node) {
			return false
		}
		if len(path) == 1 {
			node[i] = redactedText
			return true
		}
		return hideAt(node[i], path[1:])
	}
	return false
}

// parseJSON reads a document without rounding its numbers.
func parseJSON(doc []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var root any
	if err := d.Decode(&root); err != nil {
		return nil, err
	}
	return root, nil
}

// secrets is what a task's sensitive inputs hold, in the forms in which arguments can refer to it.
type secrets struct {
	// names are the references `inputs.NAME`, alone or before a # and a pointer.
	names []string
	// whole are short texts, that count where an argument is just that text.
	whole map[string]bool
	// parts are longer texts, that count wherever they occur.
	parts []string
}

// shortSecret is the length in bytes below which a secret counts only where it is a whole value: a text such as
// "5" stands in too many arguments that have nothing to do with it.
const shortSecret = 8

// secretsOf collects the texts of a task's sensitive inputs.
func secretsOf(task *contracts.TaskSpec) secrets {
	s := secrets{whole: make(map[string]bool)}
	for i := range task.Inputs {
		input := &task.Inputs[i]
		if !input.Sensitive {
			continue
		}
		s.names = append(s.names, "inputs."+input.Name)
		if input.Text != nil {
			s.addText(*input.Text)
		}
		if input.URI != "" {
			s.addText(input.URI)
		}
		if input.Data != nil {
			if root, err := parseJSON(input.Data); err == nil {
				eachLeaf(root, s.addText)
			}
		}
	}
	return s
}

// addText adds one secret.
func (s *secrets) addText(text string) {
	switch {
	case text == "":
	case len(text) < shortSecret:
		s.whole[text] = true
	default:
		s.parts = append(s.parts, text)
	}
}

// in reports whether a document refers to a secret: by the input's name, or by its content.
func (s *secrets) in(doc json.RawMessage) bool {
	if len(s.names) == 0 || doc == nil {
		return false
	}
	root, err := parseJSON(doc)
	if err != nil {
		return true // what cannot be read is not shown
	}
	found := false
	eachLeaf(root, func(leaf string) { found = found || s.matches(leaf) })
	return found
}

// matches reports whether one text refers to a secret.
func (s *secrets) matches(text string) bool {
	if s.whole[text] {
		return true
	}
	for _, name := range s.names {
		if text == name || strings.HasPrefix(text, name+"#") {
			return true
		}
	}
	for _, part := range s.parts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// eachLeaf visits the strings and numbers of a parsed document, names of members included.
func eachLeaf(node any, visit func(string)) {
	switch node := node.(type) {
	case string:
		visit(node)
	case json.Number:
		visit(node.String())
	case []any:
		for _, child := range node {
			eachLeaf(child, visit)
		}
	case map[string]any:
		for name, child := range node {
			visit(name)
			eachLeaf(child, visit)
		}
	}
}

// withoutSensitive returns a task as it may be shown: as it was sent where it has no sensitive inputs, else
// without their content.
func withoutSensitive(doc []byte, task *contracts.TaskSpec) ([]byte, error) {
	if len(task.Sensitive()) == 0 {
		return doc, nil
	}
	shown := *task
	shown.Inputs = make([]contracts.Input, len(task.Inputs))
	copy(shown.Inputs, task.Inputs)
	for i := range shown.Inputs {
		if shown.Inputs[i].Sensitive {
			shown.Inputs[i].Text, shown.Inputs[i].Data, shown.Inputs[i].URI = nil, nil, ""
		}
	}
	b, err := contracts.Encode(&shown)
	if err != nil {
		return nil, fmt.Errorf("task without sensitive inputs: %w", err)
	}
	return b, nil
}
