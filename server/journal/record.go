package journal

import (
	"encoding/binary"
	"hash/crc32"
)

// A Checksum is a CRC-32C over everything that a stored record says: its body, the values beside it, and the names that
// place it, so that a record that is whole but lies where another belongs is found too. CRC-32C (RFC 3720, appendix
// B.4) finds every error of up to three bits in records of up to 256 MiB and every burst of up to 32 bits, misses one in
// 2³² of all others, and is an instruction on amd64 and arm64. It guards against decay, not against an adversary: who
// can write records can also write checksums.
type Checksum uint32

// Sum returns the checksum of a record: its body, then its kind, texts and numbers. Texts are preceded by their lengths,
// so that no two records give the same bytes. A record of one kind never passes for another.
func Sum(kind byte, body []byte, texts []string, numbers ...int64) Checksum {
	var scratch [256]byte
	key := append(scratch[:0], kind)
	for _, text := range texts {
		key = binary.AppendUvarint(key, uint64(len(text)))
		key = append(key, text...)
	}
	for _, number := range numbers {
		key = binary.AppendVarint(key, number)
	}
	table := crc32.MakeTable(crc32.Castagnoli) // which the library computes once
	return Checksum(crc32.Update(crc32.Checksum(body, table), table, key))
}

// AppendFrame appends a frame to body: its length as an unsigned varint, then its bytes. Lengths rather than line ends,
// so that the bytes of a frame cannot move the borders of its neighbours.
func AppendFrame(body, frame []byte) []byte {
	body = binary.AppendUvarint(body, uint64(len(frame)))
	return append(body, frame...)
}

// NextFrame returns the first frame of body and what follows it; ok is false when body is not framed.
func NextFrame(body []byte) (frame, rest []byte, ok bool) {
	length, n := binary.Uvarint(body)
	if n <= 0 || length > uint64(len(body)-n) { //nolint:gosec // n is at most len(body)
		return nil, nil, false
	}
	end := n + int(length) //nolint:gosec // at most len(body)
	return body[n:end:end], body[end:], true
}
