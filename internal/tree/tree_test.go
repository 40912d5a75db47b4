package tree_test

import (
	"errors"
	"testing"
	"time"

	"nirapod/internal/tree"
	"nirapod/safety"
)

func TestRedactHidesWhatIsNotNamed(t *testing.T) {
	for _, c := range []struct{ name, kind, text, want string }{
		{"a name in an alert", "alert", `{"id":"a","doc":{"state":"cleared","acknowledged_by":"rahima"}}`, `{"doc":{"acknowledged_by":"[hidden]","state":"cleared"},"id":"a"}`},
		{"nobody acknowledged", "alert", `{"doc":{"acknowledged_by":""}}`, `{"doc":{"acknowledged_by":""}}`},
		{"a member that nobody has decided about", "notice", `{"doc":{"body":{"victims":[{"name":"x"}]}}}`, `{"doc":{"body":{"victims":"[hidden]"}}}`},
		{"a kind that nobody has decided about", "rota", `{"who":"rahima"}`, `{"who":"[hidden]"}`},
		{"a kind in which no person stands", "transition", `{ "a":1 }`, `{ "a":1 }`},
		{"no JSON", "alert", `rahima`, `"[hidden]"`},
		{"numbers stay as they were written", "incident", `{"occurred_at":1.0e3}`, `{"occurred_at":1.0e3}`},
	} {
		got := tree.Redact(c.kind, []byte(c.text))
		if string(got) != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if again := tree.Redact(c.kind, got); string(again) != c.want {
			t.Errorf("%s: redacted twice it is %s", c.name, again)
		}
	}
}

func TestOnlyOneWayToWriteALeaf(t *testing.T) {
	l := tree.Leaf{Version: 1, Factory: "padma", At: time.Unix(1, 0).UTC(), Kind: "alert", Ref: "a"}
	data, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tree.DecodeLeaf(data); err != nil || got != l {
		t.Errorf("%+v, %v", got, err)
	}
	for _, text := range []string{" " + string(data), string(data[:len(data)-1]) + `,"more":1}`, `{"v":2}`, `{}`, ``} {
		if _, err := tree.DecodeLeaf([]byte(text)); !errors.Is(err, safety.ErrInvalid) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestHeadIsSigned(t *testing.T) {
	key, err := tree.LoadKey(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	head := tree.Head{Factory: "padma", Size: 7, Root: tree.OpenHash([]byte("x"))}
	signed, err := key.Sign(head)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tree.OpenHead(signed, key.Public); err != nil || got != head {
		t.Errorf("%+v, %v", got, err)
	}
	other, err := key.SignText("another text\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tree.OpenHead(other, key.Public); !errors.Is(err, safety.ErrInvalid) {
		t.Errorf("another text of the same key: %v", err)
	}
}
