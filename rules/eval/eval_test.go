package eval_test

import (
	"fmt"
	"os"
	"testing"

	"nirapod/rules"
	"nirapod/rules/eval"
)

func TestRealFires(t *testing.T) {
	data := os.DirFS("../../../shared/data")
	if _, err := os.Stat("../../../shared/data"); err != nil {
		t.Skip("the recordings in ../shared/data are not here")
	}
	packs, err := rules.Load(rules.Shipped)
	if err != nil {
		t.Fatal(err)
	}
	sets, err := eval.Run(packs, data)
	if err != nil {
		t.Fatal(err)
	}
	if testing.Verbose() {
		fmt.Println(eval.Tables(sets))
	}
}
