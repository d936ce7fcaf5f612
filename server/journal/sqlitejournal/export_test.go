package sqlitejournal

// OnVFS returns the options of a journal on the SQLite VFS of that name.
func OnVFS(name string, o Options) Options {
	o.vfs = name
	return o
}

// Waiting returns how many writes are in the queue.
func Waiting(j *Journal) int {
	j.writer.mu.Lock()
	defer j.writer.mu.Unlock()
	return len(j.writer.waiting)
}
