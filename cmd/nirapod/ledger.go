package main

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"nirapod/alerts/ledger"
	"nirapod/internal/tree"
	"nirapod/safety"
	"nirapod/state"
)

const ledgerUse = "nirapod ledger: want verify [-key KEY] [-head FILE] FILE.zip|DIR, or key -c FILE, or erase -c FILE …"

func ledgerTools(ctx context.Context, args []string, std streams) error {
	if len(args) == 0 {
		return wrongUse(ledgerUse)
	}
	switch args[0] {
	case "verify":
		return verifyLedger(ctx, args[1:], std)
	case "key":
		return ledgerKey(args[1:], std)
	case "erase":
		return eraseLedger(ctx, args[1:], std)
	}
	return wrongUse(ledgerUse)
}

// ledgerKey prints the public key, which whoever verifies should have had before.
func ledgerKey(args []string, std streams) error {
	cfg, _, err := configured("ledger key", std, args, nil)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return err
	}
	key, err := tree.LoadKey(cfg.DataDir)
	if err != nil {
		return err
	}
	fmt.Fprintln(std.out, key.Public)
	return nil
}

func eraseLedger(ctx context.Context, args []string, std streams) error {
	var factory, kind, ref, by, reason string
	cfg, _, err := configured("ledger erase", std, args, func(set func(*string, string, string)) {
		set(&factory, "factory", "`ID` of the factory")
		set(&kind, "kind", "`KIND` of the record: alert, notice, signal, reset, message, site, permit")
		set(&ref, "ref", "`ID` of the record")
		set(&by, "by", "who decided, `NAME`")
		set(&reason, "reason", "why, `TEXT` without anybody's name")
	})
	if err != nil {
		return err
	}
	if factory == "" || kind == "" || ref == "" || by == "" || reason == "" {
		return wrongUse("nirapod ledger erase: -factory, -kind, -ref, -by and -reason are all needed")
	}
	return withState(ctx, cfg, func(db *state.DB) error {
		if err := db.Erase(ctx, factory, kind, ref, by, reason); err != nil {
			return err
		}
		fmt.Fprintf(std.out, "%s %s of %s: its whole texts and salts are gone from the ledger\n", kind, ref, factory)
		return nil
	})
}

// verifyLedger verifies a data directory, or evidence as an archive or a
// directory. It needs no server.
func verifyLedger(ctx context.Context, args []string, std streams) error {
	f := flags("ledger verify", std)
	public := f.String("key", "", "public `KEY` of the ledger; default: the one that is there")
	head := f.String("head", "", "a `FILE` with a signed head that somebody else holds")
	if err := parseWithFiles(f, args); err != nil {
		return err
	}
	if f.NArg() != 1 {
		return wrongUse(ledgerUse)
	}
	path := f.Arg(0)
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", err, safety.ErrInvalid)
	case !info.IsDir():
		z, err := zip.OpenReader(path)
		if err != nil {
			return fmt.Errorf("%s is no archive that can be read: %w", path, err)
		}
		defer z.Close()
		return verifyEvidence(&z.Reader, *public, *head, std.out)
	case exists(filepath.Join(path, "state.db")):
		return verifyState(ctx, path, *public, *head, std.out)
	}
	return verifyEvidence(os.DirFS(path), *public, *head, std.out)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func verifyEvidence(archive fs.FS, public, head string, out io.Writer) error {
	r, err := ledger.Verify(archive, public)
	if err != nil {
		return err
	}
	if head != "" {
		if err := sameHead(r, head); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "%d leaves of %s are as they were entered, head %s; %d readings as the server signed them\n",
		r.Leaves, r.Head.Factory, r.Head.Short(), r.Readings)
	if r.OwnKey {
		fmt.Fprintf(out, "the key came with the evidence: compare it with the one that DIFE's desk holds\n%s\n", r.Key)
	}
	return nil
}

// sameHead compares the archive's head with one of the same size.
func sameHead(r ledger.Report, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("%w: %w", err, safety.ErrInvalid)
	}
	h, err := tree.OpenHead(text, r.Key)
	if err != nil {
		return fmt.Errorf("%s: %s: %w", file, err.Error(), state.ErrTampered)
	}
	if h.Factory == r.Head.Factory && h.Size == r.Head.Size && h.Root != r.Head.Root {
		return fmt.Errorf("head %s is not %s: %w", r.Head.Short(), h.Short(), state.ErrTampered)
	}
	if h.Factory != r.Head.Factory || h.Size != r.Head.Size {
		return fmt.Errorf("%s is of another size or factory (%s of %s): it says nothing about this archive: %w",
			file, h.Short(), h.Factory, safety.ErrInvalid)
	}
	return nil
}

func verifyState(ctx context.Context, dir, public, head string, out io.Writer) (err error) {
	if public == "" {
		if !exists(filepath.Join(dir, "ledger.key")) {
			return fmt.Errorf("%s: no ledger.key there: give the public key with -key: %w", dir, safety.ErrInvalid)
		}
		key, err := tree.LoadKey(dir)
		if err != nil {
			return err
		}
		public = key.Public
	}
	var heads [][]byte
	if head != "" {
		text, err := os.ReadFile(head)
		if err != nil {
			return fmt.Errorf("%w: %w", err, safety.ErrInvalid)
		}
		heads = append(heads, text)
	}
	db, err := state.Open(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	found, err := db.Audit(ctx, public, heads)
	for _, a := range found {
		notes := ""
		if a.Erased > 0 {
			notes = fmt.Sprintf(", %d texts erased as the ledger says", a.Erased)
		}
		fmt.Fprintf(out, "%s: %d leaves, %d rows and %d signed heads agree%s; head %s\n",
			a.Factory, a.Leaves, a.Rows, a.Heads, notes, a.Head.Short())
	}
	if err == nil && len(heads) == 0 {
		fmt.Fprintln(out, strings.Join([]string{
			"who cut off the newest leaves and the heads over them would not show here:",
			"give a head that DIFE's desk or a printed notice holds with -head"}, "\n"))
	}
	return err
}
