package contractstest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"

	"axiom25/contracts"
)

// Case is a document and the contract that it is held against. The document may be anything.
type Case struct {
	Kind contracts.Kind
	Doc  []byte
}

// Seeds are valid documents of one contract in one version.
type Seeds struct {
	Kind contracts.Kind
	Docs [][]byte
}

// Cases returns n documents, of each seeds as many as of the others: an eighth of them are seeds, half are seeds with a
// few changes, a quarter is damaged as Damage does it, and an eighth is of any contract and sometimes very large. What it returns
// follows from random and the seeds alone.
func Cases(random *rand.Rand, n int, all []Seeds) []Case {
	mutators := make([]*Mutator, len(all))
	for i, s := range all {
		mutators[i] = NewMutator(random, s.Docs)
	}
	cases := make([]Case, n)
	for i := range cases {
		which := i % len(all)
		c := Case{Kind: all[which].Kind}
		switch i / len(all) % 8 {
		case 0:
			c.Doc = pick(random, all[which].Docs)
		case 1, 2, 3, 4:
			c.Doc = mutators[which].Document()
		case 5:
			c.Doc = Damage(random, pick(random, all[which].Docs))
		case 6:
			c.Doc = Damage(random, mutators[which].Document())
		case 7:
			c.Doc = pick(random, pick(random, all).Docs)
			if random.IntN(50) == 0 { // large, or too large, by white space alone
				c.Doc = append(bytes.Repeat([]byte(" "), contracts.MaxDocumentBytes-random.IntN(2*len(c.Doc))), c.Doc...)
			}
		}
		cases[i] = c
	}
	return cases
}

// EncodeCases returns what Judge reads.
func EncodeCases(cases []Case) []byte {
	var b []byte
	for _, c := range cases {
		b = appendFrame(b, []byte(c.Kind))
		b = appendFrame(b, c.Doc)
	}
	return b
}

// Judge reads cases and writes what is found of each as soon as it is known: the problem as Encode writes it, or nothing
// where the document is valid.
func Judge(cases io.Reader, out io.Writer) error {
	for r := bufio.NewReader(cases); ; {
		kind, err := readFrame(r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the name of a contract: %w", err)
		}
		doc, err := readFrame(r)
		if err != nil {
			return fmt.Errorf("read a document: %w", err)
		}
		var found []byte
		if err := contracts.Validate(contracts.Kind(kind), doc); err != nil {
			if found, err = contracts.Encode(err); err != nil {
				return fmt.Errorf("encode a problem: %w", err)
			}
		}
		if _, err := out.Write(appendFrame(nil, found)); err != nil {
			return fmt.Errorf("write a problem: %w", err)
		}
	}
}

// DecodeFindings reads what Judge wrote.
func DecodeFindings(b []byte) ([][]byte, error) {
	var findings [][]byte
	for r := bufio.NewReader(bytes.NewReader(b)); ; {
		found, err := readFrame(r)
		if errors.Is(err, io.EOF) {
			return findings, nil
		}
		if err != nil {
			return findings, fmt.Errorf("read finding %d: %w", len(findings), err)
		}
		findings = append(findings, found)
	}
}

// maxFrame bounds what a frame may claim to hold: more than any document of a test.
const maxFrame = 8 << 20

// appendFrame appends b behind its length.
func appendFrame(to, b []byte) []byte {
	return append(binary.AppendUvarint(to, uint64(len(b))), b...)
}

// readFrame reads what appendFrame wrote. The error is io.EOF where the stream ends before a frame.
func readFrame(r *bufio.Reader) ([]byte, error) {
	length, err := binary.ReadUvarint(r)
	if err != nil {
		return nil, err
	}
	if length > maxFrame {
		return nil, fmt.Errorf("a frame of %d bytes", length)
	}
	b := make([]byte, length)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, errors.Join(io.ErrUnexpectedEOF, err)
	}
	return b, nil
}
