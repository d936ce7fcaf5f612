package contracts

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// Digest is "sha256:" and 64 lowercase hexadecimal digits (FIPS 180-4).
type Digest string

const digestPrefix = "sha256:"

// DigestText returns the digest of a text's UTF-8 bytes.
func DigestText[T string | []byte](text T) Digest {
	return DigestOfSum(sha256.Sum256([]byte(text)))
}

// DigestOfSum returns the digest that a SHA-256 sum is written as.
func DigestOfSum(sum [sha256.Size]byte) Digest {
	return Digest(digestPrefix + hex.EncodeToString(sum[:]))
}

// DigestJSON returns the digest of a JSON document's RFC 8785 form, so that white space, the order of
// members and the spelling of numbers and strings do not matter. It returns an error when doc is not I-JSON
// (RFC 7493): valid JSON in UTF-8 without duplicate names.
func DigestJSON(doc []byte) (Digest, error) {
	canonical := jsontext.Value(append([]byte(nil), doc...))
	if err := canonical.Canonicalize(); err != nil {
		return "", fmt.Errorf("canonical form: %w", err)
	}
	return DigestText([]byte(canonical)), nil
}
