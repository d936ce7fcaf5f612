package browser

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	schemaModule = "github.com/santhosh-tekuri/jsonschema/v6"

	// schemaReplacement is where the build finds the library for JSON Schema, as replacement is for go-app.
	schemaReplacement = "./web/build/browser/jsonschema"

	// draftsFile is the library's file that compiles the schemas of all drafts when the program starts.
	draftsFile = "draft.go"
)

// ErrJSONSchema is what errors wrap that come from a library for JSON Schema which is not as this package knows it.
var ErrJSONSchema = errors.New("the library for JSON Schema has changed: see docs/decisions/0019-a-draft-is-compiled-when-it-is-used.md")

// draftEdits are what changes in draftsFile: each text stands there once. A draft's own schema is asked for in getSchema alone, and never
// while it is compiled itself, since the library does not judge the schemas that it brings along.
func draftEdits() [][2]string {
	return [][2]string{
		{"import (\n", "import (\n\t\"sync\"\n"},
		{"type Draft struct {\n", "type Draft struct {\n\tonce sync.Once\n"},
		{"func init() {\n", "func (d *Draft) compile() {\n"},
		{"\tfor _, d := range []*Draft{Draft4, Draft6, Draft7, Draft2019, Draft2020} {\n\t\td.sch = ", "\t{\n\t\td.sch = "},
		{
			"func (d *dialect) getSchema(assertVocabs bool, vocabularies map[string]*Vocabulary) *Schema {\n",
			"func (d *dialect) getSchema(assertVocabs bool, vocabularies map[string]*Vocabulary) *Schema {\n\td.draft.once.Do(d.draft.compile)\n",
		},
	}
}

// lazySchemas returns the files of the library for JSON Schema by their paths in the module, the one that changes written to dir: there,
// a draft's schema is compiled when it is first needed, and not all five of them whenever the program starts.
func lazySchemas(module, dir string) (map[string]string, error) {
	files := make(map[string]string)
	err := filepath.WalkDir(module, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(module, file)
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name == "testdata":
			return filepath.SkipDir
		case !entry.IsDir() && !strings.HasSuffix(name, "_test.go"):
			files[name] = file
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the library for JSON Schema: %w", err)
	}
	source, err := os.ReadFile(filepath.Join(module, draftsFile)) //nolint:gosec // a file of the module cache
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrJSONSchema, err)
	}
	text := string(source)
	for _, edit := range draftEdits() {
		if n := strings.Count(text, edit[0]); n != 1 {
			return nil, fmt.Errorf("%w: its %s holds %q %d times", ErrJSONSchema, draftsFile, edit[0], n)
		}
		text = strings.Replace(text, edit[0], edit[1], 1)
	}
	files[draftsFile] = filepath.Join(dir, "jsonschema-"+draftsFile)
	if err := os.WriteFile(files[draftsFile], []byte(text), 0o600); err != nil { //nolint:gosec // a file of the build's own directory
		return nil, fmt.Errorf("write the library for JSON Schema: %w", err)
	}
	return files, nil
}
