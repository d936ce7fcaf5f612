package store

import (
	"context"
	"fmt"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/contracts"
)

// Snapshot is the run folded into one document, as GET /runs/{id} answers it, but for its labels, which the console does not
// read.
func (w *RunWatch) Snapshot() contracts.Snapshot {
	snapshot := w.folder.state.Snapshot()
	snapshot.Goal = w.run.Goal
	return snapshot
}

// Export hands the events to the reader as a file, one a line, as they were sent. Those that the log has let go of are read
// again; where the server is away the file begins with the first that is known, and says so in its name.
func (w *RunWatch) Export() {
	if w.run.Exporting || w.log.Last() == 0 {
		return
	}
	w.run.Exporting, w.run.Sent, w.run.Refused = true, "export", nil
	w.publish()
	w.collect(nil)
}

// collect reads the events before those of the log behind what it has read already, and then saves all.
func (w *RunWatch) collect(older []string) {
	first := w.log.First()
	if contracts.Seq(len(older)) >= first-1 {
		w.save(older[:first-1], first)
		return
	}
	w.ctx.Async(func() {
		page, err := w.client.History(context.Background(), w.run.ID, contracts.Seq(len(older)))
		w.later(func() {
			if err != nil || len(page.Events) == 0 {
				w.run.Refused = err
				w.save(nil, w.log.First())
				return
			}
			for _, event := range page.Events {
				older = append(older, string(event))
			}
			w.collect(older)
		})
	})
}

// save makes a file of older lines and of the log from first on.
func (w *RunWatch) save(older []string, first contracts.Seq) {
	name := w.run.ID.String()
	if contracts.Seq(len(older)) != first-1 {
		name += fmt.Sprintf("-from-%d", first)
	}
	file := goapp.Window().Get("Array").New()
	var lines []byte
	flush := func() {
		if len(lines) == 0 {
			return
		}
		bytes := goapp.Window().Get("Uint8Array").New(len(lines))
		goapp.CopyBytesToJS(bytes, lines)
		file.Call("push", bytes)
		lines = lines[:0]
	}
	add := func(line []byte) {
		lines = append(append(lines, line...), '\n')
		if len(lines) > fileChunk {
			flush()
		}
	}
	for _, line := range older {
		add([]byte(line))
	}
	for seq := first; seq <= w.log.Last(); seq++ {
		if line, ok := w.log.Line(seq); ok {
			add(line)
		}
	}
	flush()
	download(name+".ndjson", "application/x-ndjson", file)
	w.run.Exporting = false
	w.publish()
}

// fileChunk is how much of a file is handed to the browser at a time, in bytes.
const fileChunk = 1 << 20

// download hands the browser an array of chunks to keep as a file.
func download(name, media string, chunks goapp.Value) {
	url := goapp.Window().Get("URL")
	address := url.Call("createObjectURL", goapp.Window().Get("Blob").New(chunks, map[string]any{"type": media}))
	link := goapp.Window().Get("document").Call("createElement", "a")
	link.Set("href", address)
	link.Set("download", name)
	link.Call("click")
	var release goapp.Func
	release = goapp.FuncOf(func(goapp.Value, []goapp.Value) any {
		url.Call("revokeObjectURL", address)
		release.Release()
		return nil
	})
	goapp.Window().Call("setTimeout", release, 60_000)
}
