// Command build compiles the console and writes everything that the server embeds to web/dist, or to web/dist-gallery where the
// command is itself built with the tag gallery, which its console then has too: the
// WebAssembly, the styles, the scripts and the icons, each also compressed, and a manifest of them.
//
// It needs the Go toolchain alone. What has not changed is not compressed again.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/andybalholm/brotli"

	"axiom25/web"
)

// maxWasmBrotli is how large the compressed console may become, in bytes.
const maxWasmBrotli = 2_300_000

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "web/build:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	out := flag.String("out", "", "where to write the files (default: web/"+web.Folder+" of this module)")
	quality := flag.Int("quality", brotli.BestCompression,
		"brotli quality of the WebAssembly, 0..11; the best takes a minute, and only 11 is held against the limit")
	onlySizes := flag.Bool("sizes", false, "say which packages the program consists of, and write nothing")
	flag.Parse()

	root, err := goOutput(ctx, "", "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return err
	}
	b := builder{
		root:    root,
		out:     cmp.Or(*out, filepath.Join(root, "web", web.Folder)),
		quality: *quality,
		pages:   pagePattern(),
	}
	if *onlySizes {
		sizes, err := b.sizes(ctx)
		fmt.Print(table(sizes))
		return err
	}
	m, err := b.build(ctx)
	if err != nil {
		return err
	}
	wasm, _ := m.Asset(wasmPath)
	fmt.Printf("console %s: app.wasm %s, %s gzip, %s brotli\n",
		m.Version, megabytes(wasm.Size), megabytes(wasm.Gzip), megabytes(wasm.Brotli))
	styles, _ := m.Asset("/app.css")
	fmt.Printf("app.css %d bytes of at most %d\n", styles.Size, web.MaxStyles)
	if styles.Size > web.MaxStyles {
		return fmt.Errorf("the styles have %d bytes, more than %d", styles.Size, web.MaxStyles)
	}
	if *quality == brotli.BestCompression && wasm.Brotli > maxWasmBrotli {
		sizes, err := b.sizes(ctx)
		return errors.Join(fmt.Errorf("app.wasm is %s with brotli, more than %s; before compression the largest packages are\n%s",
			megabytes(wasm.Brotli), megabytes(maxWasmBrotli), table(sizes)), err)
	}
	return nil
}

// megabytes writes a size in millions of bytes.
func megabytes(n int64) string { return fmt.Sprintf("%.2f MB", float64(n)/1e6) }
