package tree

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"nirapod/safety"
)

const (
	keyName = "nirapod-ledger"
	keyFile = "ledger.key"
	origin  = "nirapod.ledger/"
)

// Head is the state of a factory's tree: its size and the hash of all of it.
type Head struct {
	Factory string
	Size    int64
	Root    tlog.Hash
}

// Short is what is printed on paper: the first 16 hexadecimal digits of the
// root, in fours, and the size.
func (h Head) Short() string {
	digits := fmt.Sprintf("%X", h.Root[:8])
	return fmt.Sprintf("%s-%s-%s-%s/%d", digits[:4], digits[4:8], digits[8:12], digits[12:], h.Size)
}

// text is a checkpoint (https://c2sp.org/tlog-checkpoint), so that a witness
// that knows nothing of this program can read it.
func (h Head) text() string {
	return fmt.Sprintf("%s%s\n%d\n%s\n", origin, h.Factory, h.Size, base64.StdEncoding.EncodeToString(h.Root[:]))
}

func parseHead(text string) (h Head, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[0], origin) {
		return h, fmt.Errorf("head: want three lines, the first beginning with %s: %w", origin, safety.ErrInvalid)
	}
	h.Factory = strings.TrimPrefix(lines[0], origin)
	if h.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || h.Size < 1 {
		return h, fmt.Errorf("head: size %q: %w", lines[1], safety.ErrInvalid)
	}
	if h.Root, err = tlog.ParseHash(lines[2]); err != nil || h.text() != text {
		return h, fmt.Errorf("head: root %q: %w", lines[2], safety.ErrInvalid)
	}
	return h, nil
}

// Key signs heads.
type Key struct {
	signer note.Signer
	Public string // verifier key, as golang.org/x/mod/sumdb/note writes it
}

// LoadKey returns the key kept in dir, made at first use and readable by its
// owner only. Processes that share dir share it.
func LoadKey(dir string) (Key, error) {
	path := filepath.Join(dir, keyFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeKey(dir, path); err != nil {
			return Key{}, fmt.Errorf("ledger key: %w", err)
		}
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return Key{}, fmt.Errorf("ledger key: %w", err)
	}
	secret, public, _ := strings.Cut(strings.TrimSpace(string(data)), "\n")
	signer, err := note.NewSigner(secret)
	if err != nil {
		return Key{}, fmt.Errorf("%s: %w: restore it from its copy: %w", path, err, safety.ErrInvalid)
	}
	if v, err := note.NewVerifier(public); err != nil || v.KeyHash() != signer.KeyHash() {
		return Key{}, fmt.Errorf("%s: its two lines do not belong together: restore it from its copy: %w", path, safety.ErrInvalid)
	}
	return Key{signer, public}, nil
}

// makeKey writes aside and links, so that another process never sees half of
// it and two that are first together agree.
func makeKey(dir, path string) error {
	secret, public, err := note.GenerateKey(rand.Reader, keyName)
	if err != nil {
		return err
	}
	aside, err := os.CreateTemp(dir, keyFile+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(aside.Name())
	_, err = aside.WriteString(secret + "\n" + public + "\n")
	if err := errors.Join(err, aside.Sync(), aside.Close()); err != nil {
		return err
	}
	if err := os.Link(aside.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Sign returns h as a signed note.
func (k Key) Sign(h Head) ([]byte, error) {
	return k.SignText(h.text())
}

// OpenHead reads a signed note. A signature that is not that of public, a
// verifier key, is refused with an error wrapping safety.ErrInvalid.
func OpenHead(signed []byte, public string) (Head, error) {
	text, err := OpenText(signed, public)
	if err != nil {
		return Head{}, err
	}
	return parseHead(text)
}

// Growth carries a head to the second party, with the proof that it only grew
// from the head of size From that the party holds.
type Growth struct {
	Factory string         `json:"factory"`
	Office  string         `json:"office"`
	Key     string         `json:"key"`  // verifier key
	Head    string         `json:"head"` // signed note
	From    int64          `json:"from"`
	Proof   tlog.TreeProof `json:"proof"`
}

// SignText signs a text that ends with a newline.
func (k Key) SignText(text string) ([]byte, error) {
	return note.Sign(&note.Note{Text: text}, k.signer)
}

// OpenText returns the text of a signed note. A signature that is not that of
// public is refused with an error wrapping safety.ErrInvalid.
func OpenText(signed []byte, public string) (string, error) {
	v, err := note.NewVerifier(public)
	if err != nil {
		return "", fmt.Errorf("public key of the ledger: %w: %w", err, safety.ErrInvalid)
	}
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return "", fmt.Errorf("signature: %w: %w", err, safety.ErrInvalid)
	}
	return n.Text, nil
}
