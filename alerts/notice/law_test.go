package notice_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"nirapod/alerts/notice"
	"nirapod/safety"
)

func law(t *testing.T) *notice.Law {
	t.Helper()
	l, err := notice.LoadLaw()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLaw(t *testing.T) {
	l := law(t)
	if len(l.Clauses) == 0 {
		t.Fatal("no clauses")
	}
	_ = errors.Is
	_ = strings.Contains
	_ = fstest.MapFS{}
	_ = safety.ErrInvalid
}
