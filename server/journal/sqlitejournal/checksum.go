package sqlitejournal

import (
	"encoding/binary"
	"hash/crc32"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// A checksum is a CRC-32C over everything that a row says: its body, the columns beside it, and the names that
// place it, so that a row that is whole but lies where another belongs is found too. CRC-32C (RFC 3720,
// appendix B.4) finds every error of up to three bits in rows of up to 256 MiB and every burst of up to 32
// bits, misses one in 2³² of all others, and is an instruction on amd64 and arm64. It guards against decay, not
// against an adversary: who can write the file can also write checksums.
type checksum uint32

// tableCastagnoli returns the polynomial's table, which the library computes once.
func tableCastagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// The kinds of rows. A row of one kind never passes for another.
const (
	kindRun   = 'r'
	kindTask  = 't'
	kindChunk = 'c'
	kindTool  = 'T'
	kindLease = 'l'
	kindLog   = 'L'
)

// sumRow returns the checksum of a row: its body, then its kind, texts and numbers. Texts are preceded by
// their lengths, so that no two rows give the same bytes.
func sumRow(kind byte, body []byte, texts []string, numbers ...int64) checksum {
	var scratch [256]byte
	key := append(scratch[:0], kind)
	for _, text := range texts {
		key = binary.AppendUvarint(key, uint64(len(text)))
		key = append(key, text...)
	}
	for _, number := range numbers {
		key = binary.AppendVarint(key, number)
	}
	table := tableCastagnoli()
	return checksum(crc32.Update(crc32.Checksum(body, table), table, key))
}

// sumRun is the checksum of a row of runs.
func sumRun(id contracts.RunID, h head, summary []byte) checksum {
	numbers := []int64{h.n, int64(h.created), int64(h.last)}
	if h.epoch != 0 || h.pruned { // rows that are older than these columns have neither
		numbers = append(numbers, h.epoch, prunedColumn(h.pruned))
	}
	return sumRow(kindRun, summary, []string{id.String(), h.goal, string(h.state)}, numbers...)
}

// sumTask is the checksum of a row of tasks.
func sumTask(run journal.Run) checksum {
	return sumRow(kindTask, run.Task, []string{run.ID.String(), run.Key, string(run.TaskDigest)})
}

// sumChunk is the checksum of a row of chunks.
func sumChunk(c chunk) checksum {
	texts := []string{c.run.String()}
	numbers := []int64{int64(c.first), int64(c.last)}
	if c.origin != nil {
		texts = append(texts, string(c.origin.Digest))
		numbers = append(numbers, int64(c.origin.After))
	}
	return sumRow(kindChunk, c.body, texts, numbers...)
}

// sumLease is the checksum of a row of leases.
func sumLease(l lease) checksum {
	return sumRow(kindLease, nil, []string{l.Run.String(), l.Holder}, l.Epoch, int64(l.Expires), l.ttl)
}

// sumLog is the checksum of a row of log.
func sumLog(k int64, body []byte) checksum { return sumRow(kindLog, body, nil, k) }

// sumTool is the checksum of a row of tools.
func sumTool(t journal.Tool) checksum {
	return sumRow(kindTool, t.Spec, []string{t.Name, t.Version, string(t.Digest)})
}
