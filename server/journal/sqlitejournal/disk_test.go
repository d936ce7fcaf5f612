package sqlitejournal_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"axiom25/server/journal/sqlitejournal"
)

// disk is the operating system's VFS with a hand on it: it counts what reaches the files, keeps what was
// fsynced apart, and fails or waits where a test says so.
type disk struct {
	name string

	mu     sync.Mutex
	syncs  map[string]int  // by the file's extension: ".db" or ".db-wal"
	dirty  map[string]bool // written since the last fsync
	writes int
	// safe, where set, is a directory that holds each file as of its last fsync: what a loss of power leaves.
	safe string
	// onWrite and onSync, where set, are asked first, without the lock; a result other than SQLITE_OK is an
	// error that SQLite gets instead of the system's answer.
	onWrite, onSync func(file string) int32

	methods map[uintptr]uintptr // the system's tables of a file's functions, and the disk's in their place
	keep    []any               // functions that SQLite knows by address
}

// disks numbers the VFS names.
var disks atomic.Int64

// paths names the open files, by the address that SQLite knows them by.
var paths sync.Map

// living keeps every disk reachable: SQLite holds addresses into them for as long as the process lives.
var living sync.Map

// newDisk registers a disk with SQLite.
func newDisk(t *testing.T) *disk {
	t.Helper()
	d := &disk{name: fmt.Sprintf("disk%d", disks.Add(1)), syncs: map[string]int{}, dirty: map[string]bool{}, methods: map[uintptr]uintptr{}}
	living.Store(d.name, d)
	tls := libc.NewTLS()
	defer tls.Close()
	name, err := libc.CString(d.name)
	if err != nil {
		t.Fatal(err)
	}
	system := at[sqlite3.Tsqlite3_vfs](sqlite3.Xsqlite3_vfs_find(tls, 0))
	open := function[func(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32](system.FxOpen)
	vfs := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(*system)))
	*at[sqlite3.Tsqlite3_vfs](vfs) = *system
	at[sqlite3.Tsqlite3_vfs](vfs).FzName = name
	at[sqlite3.Tsqlite3_vfs](vfs).FxOpen = address(d, func(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32 {
		rc := open(tls, vfs, name, file, flags, out)
		if rc == sqlite3.SQLITE_OK {
			paths.Store(file, libc.GoString(name))
			d.patch(tls, at[sqlite3.Tsqlite3_file](file))
		}
		return rc
	})
	if rc := sqlite3.Xsqlite3_vfs_register(tls, vfs, 0); rc != sqlite3.SQLITE_OK {
		t.Fatalf("register VFS: %d", rc)
	}
	return d
}

// patch puts the disk's functions before the system's in an open file.
func (d *disk) patch(tls *libc.TLS, file *sqlite3.Tsqlite3_file) {
	d.mu.Lock()
	defer d.mu.Unlock()
	patched, known := d.methods[file.FpMethods]
	if !known {
		system := at[sqlite3.Tsqlite3_io_methods](file.FpMethods)
		patched = libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(*system)))
		methods := at[sqlite3.Tsqlite3_io_methods](patched)
		*methods = *system
		write := function[func(tls *libc.TLS, file, buf uintptr, n int32, offset int64) int32](system.FxWrite)
		methods.FxWrite = address(d, func(tls *libc.TLS, file, buf uintptr, n int32, offset int64) int32 {
			if rc := d.written(pathOf(file)); rc != sqlite3.SQLITE_OK {
				return rc
			}
			return write(tls, file, buf, n, offset)
		})
		sync := function[func(tls *libc.TLS, file uintptr, flags int32) int32](system.FxSync)
		methods.FxSync = address(d, func(tls *libc.TLS, file uintptr, flags int32) int32 {
			return d.synced(pathOf(file), func() int32 { return sync(tls, file, flags) })
		})
		d.methods[file.FpMethods] = patched
	}
	file.FpMethods = patched
}

// written notes a write, or fails it.
func (d *disk) written(path string) int32 {
	d.mu.Lock()
	hook := d.onWrite
	d.writes++
	d.dirty[filepath.Ext(path)] = true
	d.mu.Unlock()
	if hook == nil {
		return sqlite3.SQLITE_OK
	}
	return hook(filepath.Ext(path))
}

// synced notes an fsync, or fails it.
func (d *disk) synced(path string, sync func() int32) int32 {
	d.mu.Lock()
	hook := d.onSync
	d.mu.Unlock()
	if hook != nil {
		if rc := hook(filepath.Ext(path)); rc != sqlite3.SQLITE_OK {
			return rc
		}
	}
	rc := sync()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.syncs[filepath.Ext(path)]++
	d.dirty[filepath.Ext(path)] = false
	if d.safe == "" {
		return rc
	}
	content, err := os.ReadFile(path) //nolint:gosec // a file of this test
	if err == nil {
		err = os.WriteFile(filepath.Join(d.safe, filepath.Base(path)), content, 0o600) //nolint:gosec // a file of this test
	}
	if err != nil {
		return sqlite3.SQLITE_IOERR_FSYNC
	}
	return rc
}

// set changes the hooks; nil lets everything pass.
func (d *disk) set(onWrite, onSync func(file string) int32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.onWrite, d.onSync = onWrite, onSync
}

// walSyncs returns how often the log was fsynced, and whether it was written since.
func (d *disk) walSyncs() (n int, dirty bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.syncs[wal], d.dirty[wal]
}

// wal and main are the extensions of the two files.
const (
	wal  = ".db-wal"
	main = ".db"
)

// failing returns a hook that gives the file the result rc.
func failing(file string, rc int32) func(string) int32 {
	return func(f string) int32 {
		if f == file {
			return rc
		}
		return sqlite3.SQLITE_OK
	}
}

// open opens a journal on the disk, in a directory of its own.
func (d *disk) open(t *testing.T, opts sqlitejournal.Options) (*sqlitejournal.Journal, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal.db")
	return open(t, path, sqlitejournal.OnVFS(d.name, opts)), path
}

// pathOf returns the path of an open file, without what SQLite hides behind it.
func pathOf(file uintptr) string {
	path, ok := paths.Load(file)
	if !ok {
		return ""
	}
	name, _ := path.(string)
	return strings.TrimSpace(name)
}

// at returns what lies at an address of SQLite's own memory, which Go's collector neither sees nor moves.
func at[T any](address uintptr) *T {
	return *(**T)(unsafe.Pointer(&address)) //nolint:gosec // how the library passes addresses to SQLite
}

// function returns the function that SQLite calls at an address.
func function[T any](address uintptr) T {
	return *(*T)(unsafe.Pointer(&struct{ uintptr }{address})) //nolint:gosec // how the library passes addresses to SQLite
}

// address returns the address that SQLite can call f at, and keeps f alive.
func address[T any](d *disk, f T) uintptr {
	d.keep = append(d.keep, f)
	return *(*uintptr)(unsafe.Pointer(&struct{ f T }{f})) //nolint:gosec // how the library passes addresses to SQLite
}
