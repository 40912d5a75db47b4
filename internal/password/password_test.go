package password_test

import (
	"strings"
	"testing"
	"time"

	"nirapod/internal/password"
)

func TestHashAndVerify(t *testing.T) {
	hash := password.Hash("demo")
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash %q", hash)
	}
	if again := password.Hash("demo"); again == hash {
		t.Error("two hashes of one password are equal: the salt is not random")
	}
	for pw, want := range map[string]bool{"demo": true, "Demo": false, "": false, "demo ": false, "ডেমো": false} {
		if got := password.Verify(hash, pw); got != want {
			t.Errorf("Verify(%q) = %v", pw, got)
		}
	}
}

// The hash stands in the reference implementation's test.c: password
// "password", salt "somesalt", 2 passes, 2^16 KiB, 1 lane.
func TestVerifyReference(t *testing.T) {
	const hash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if !password.Verify(hash, "password") {
		t.Error("the reference implementation's hash is refused")
	}
	if password.Verify(hash, "passwor") {
		t.Error("a wrong password passes")
	}
}

func TestVerifyRefuses(t *testing.T) {
	good := password.Hash("demo")
	costs := "m=19456,t=2,p=1"
	for name, hash := range map[string]string{
		"no hash":            "",
		"another algorithm":  strings.Replace(good, "argon2id", "argon2i", 1),
		"another version":    strings.Replace(good, "v=19", "v=16", 1),
		"no version":         strings.Replace(good, "$v=19", "", 1),
		"terabytes":          strings.Replace(good, costs, "m=4294967295,t=2,p=1", 1),
		"days":               strings.Replace(good, costs, "m=19456,t=4294967295,p=1", 1),
		"many lanes":         strings.Replace(good, costs, "m=19456,t=2,p=255", 1),
		"no passes":          strings.Replace(good, costs, "m=19456,t=0,p=1", 1),
		"no lanes":           strings.Replace(good, costs, "m=19456,t=2,p=0", 1),
		"no memory":          strings.Replace(good, costs, "m=0,t=2,p=1", 1),
		"costs with a tail":  strings.Replace(good, costs, costs+",x=1", 1),
		"overflowing memory": strings.Replace(good, costs, "m=4294986752,t=2,p=1", 1),
		"cut short":          good[:len(good)-30],
		"no key":             good[:strings.LastIndex(good, "$")+1],
		"bits after the key": good + "=",
		"endless":            good + strings.Repeat("A", 1<<20),
	} {
		start := time.Now()
		if password.Verify(hash, "demo") {
			t.Errorf("%s: passes", name)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
}

func TestVerifyOfNobodyCostsTheSame(t *testing.T) {
	hash := password.Hash("demo")
	fastest := func(hash string) time.Duration {
		best := time.Hour
		for range 5 {
			start := time.Now()
			password.Verify(hash, "wrong")
			best = min(best, time.Since(start))
		}
		return best
	}
	somebody, nobody := fastest(hash), fastest("")
	if nobody < somebody/3 {
		t.Errorf("no such user takes %v, a wrong password %v", nobody, somebody)
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "x")
	f.Add("$argon2id$v=19$m=8,t=1,p=4$$", "")
	f.Fuzz(func(t *testing.T, hash, pw string) {
		if password.Verify(hash, pw) {
			t.Errorf("%q opens with %q", hash, pw)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	hash := password.Hash("demo")
	for b.Loop() {
		password.Verify(hash, "demo")
	}
}
