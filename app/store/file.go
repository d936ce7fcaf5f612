package store

import (
	"errors"
	"fmt"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"
)

// MaxFileBytes is how large a file may be that is read into the page.
const MaxFileBytes = 64 << 20

// ErrFileTooLarge says that a file is larger than MaxFileBytes.
var ErrFileTooLarge = fmt.Errorf("the file is larger than %d MiB; axiom25 validate reads it on the command line", MaxFileBytes>>20)

// ErrFileUnreadable says that the browser cannot read a file: it is gone, or a folder.
var ErrFileUnreadable = errors.New("the file cannot be read")

// ReadFile reads a file that the reader gave to the page, byte for byte: what is no UTF-8 stays as it is, so that it can be
// found. The error is ErrFileTooLarge or ErrFileUnreadable.
func ReadFile(ctx goapp.Context, file goapp.Value, done func(ctx goapp.Context, text string, err error)) {
	if file.Get("size").Int() > MaxFileBytes {
		done(ctx, "", ErrFileTooLarge)
		return
	}
	var read, failed goapp.Func
	finish := func(text string, err error) {
		read.Release()
		failed.Release()
		ctx.Dispatch(func(ctx goapp.Context) { done(ctx, text, err) })
	}
	read = goapp.FuncOf(func(_ goapp.Value, args []goapp.Value) any {
		content := goapp.Window().Get("Uint8Array").New(args[0])
		bytes := make([]byte, content.Get("length").Int())
		goapp.CopyBytesToGo(bytes, content)
		finish(string(bytes), nil)
		return nil
	})
	failed = goapp.FuncOf(func(goapp.Value, []goapp.Value) any {
		finish("", ErrFileUnreadable)
		return nil
	})
	file.Call("arrayBuffer").Call("then", read, failed)
}
