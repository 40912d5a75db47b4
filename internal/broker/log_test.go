package broker

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestAClientThatKnocksAgainIsToldOnce(t *testing.T) {
	var out bytes.Buffer
	l := &natsLog{log: slog.New(slog.NewTextHandler(&out, nil)), told: map[string]time.Time{}}
	for i := range 100 {
		l.Errorf(fmt.Sprintf(`127.0.0.1:%d - mid:%d - "padma/gw-1" - authentication error - %%s`, 5000+i, i), "wrong password")
		l.Errorf(fmt.Sprintf(`127.0.0.1:%d - mid:%d - "padma/gw-2" - authentication error - %%s`, 6000+i, i), "wrong password")
	}
	if got := strings.Count(out.String(), "\n"); got != 2 {
		t.Errorf("%d lines:\n%s", got, out.String())
	}
	for i := range 10 * maxKinds {
		l.Errorf(fmt.Sprintf(`127.0.0.1:1 - mid:1 - "%d" - authentication error`, i))
	}
	if len(l.told) > maxKinds {
		t.Errorf("remembers %d kinds", len(l.told))
	}
}
