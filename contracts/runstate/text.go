package runstate

import (
	"crypto/sha256"
	"hash"

	"axiom25/contracts"
)

// text is the length and the running hash of a text that grows. The zero value is the empty text.
type text struct {
	bytes int64
	// sum runs while the text grows; it is nil for an empty text and for a closed one.
	sum hash.Hash
	// closed is the final digest.
	closed contracts.Digest
}

// add appends delta by way of scratch.
func (t *text) add(delta string, scratch []byte) {
	if delta == "" {
		return
	}
	if t.sum == nil {
		t.sum = sha256.New()
	}
	t.bytes += int64(len(delta))
	for len(delta) > 0 {
		n := copy(scratch, delta)
		t.sum.Write(scratch[:n]) // a hash never returns an error
		delta = delta[n:]
	}
}

// close keeps the digest and lets the running hash go.
func (t *text) close() { t.closed, t.sum = t.digest(), nil }

// digest is that of the text so far.
func (t *text) digest() contracts.Digest {
	if t.closed != "" {
		return t.closed
	}
	if t.sum == nil {
		return contracts.DigestText("")
	}
	var sum [sha256.Size]byte
	t.sum.Sum(sum[:0])
	return contracts.DigestOfSum(sum)
}

// clone returns a text that grows on its own.
func (t *text) clone() text {
	c := *t
	if t.sum == nil {
		return c
	}
	cloner, ok := t.sum.(hash.Cloner)
	if !ok {
		panic("runstate: SHA-256 without Clone") // every hash of the standard library has it since Go 1.25
	}
	sum, err := cloner.Clone()
	if err != nil {
		panic("runstate: SHA-256 refuses Clone: " + err.Error())
	}
	c.sum = sum
	return c
}
