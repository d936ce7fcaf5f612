package store

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/document"
	"axiom25/contracts"
)

// Migration is a document of an older version rewritten to the current one, as `axiom25 migrate` prints it.
type Migration struct {
	// Text is the document now.
	Text string
	// Changes say what became of what.
	Changes []contracts.Change
	// Lines compare the documents, both indented alike, so that nothing shows but what was changed.
	Lines []document.Line
}

// Migratable reports whether a document of an older version was found that can be rewritten as it is.
func (f Finding) Migratable() bool {
	return f.Judgement.Valid && f.Version != 0 && f.Version < contracts.Version
}

// Migrate rewrites a valid document to the current version.
func Migrate(kind contracts.Kind, text string) (*Migration, error) {
	out, changes, err := contracts.Migrate(kind, []byte(text))
	if err != nil {
		return nil, err
	}
	m := &Migration{Text: string(contracts.Readable(out)), Changes: changes}
	m.Lines = document.Diff(string(contracts.Readable([]byte(text))), m.Text)
	return m, nil
}

// SaveText hands a text to the reader as a file.
func SaveText(name, media, text string) {
	bytes := goapp.Window().Get("Uint8Array").New(len(text))
	goapp.CopyBytesToJS(bytes, []byte(text))
	chunks := goapp.Window().Get("Array").New()
	chunks.Call("push", bytes)
	download(name, media, chunks)
}
