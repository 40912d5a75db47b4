package wire

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"nirapod/safety"
)

const (
	idChars    = "abcdefghijklmnopqrstuvwxyz0123456789-"
	hexChars   = "0123456789abcdef"
	tokenChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:"

	maxID    = 63
	maxToken = 64
	maxText  = 512 // bytes of a text for people, such as a clause

	// maxSeq is the largest sequence number, count of milliseconds or the like:
	// every JSON reader holds integers up to it exactly.
	maxSeq = 1<<53 - 1
)

// ValidID reports whether id can name a factory, gateway, sensor or zone: 1 to
// 63 characters of a-z, 0-9 and "-", the first not "-".
func ValidID(id string) bool {
	return len(id) <= maxID && only(id, idChars) && id[0] != '-'
}

// ValidRun reports whether run is 64 bits in 16 lower-case hex digits.
func ValidRun(run string) bool { return len(run) == 16 && only(run, hexChars) }

func only(s, set string) bool {
	for i := range len(s) {
		if strings.IndexByte(set, s[i]) < 0 {
			return false
		}
	}
	return s != ""
}

func invalid(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, safety.ErrInvalid)...)
}

func checkID(what, id string) error {
	if !ValidID(id) {
		return invalid("%s %q: want 1 to %d of a-z 0-9 -, not beginning with -", what, id, maxID)
	}
	return nil
}

func checkRun(run string) error {
	if !ValidRun(run) {
		return invalid("run %q: want 16 lower-case hex digits", run)
	}
	return nil
}

// checkToken holds names made by machines (boot, anchor, epoch, command) to
// what goes anywhere unescaped.
func checkToken(what, s string) error {
	if len(s) > maxToken || !only(s, tokenChars) {
		return invalid("%s %q: want 1 to %d of A-Z a-z 0-9 - . _ :", what, s, maxToken)
	}
	return nil
}

func checkText(what, s string) error {
	if len(s) > maxText || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return invalid("%s: want at most %d bytes of UTF-8 without control characters", what, maxText)
	}
	return nil
}
