package deploy_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
)

// instruction is one of a Dockerfile, in its stage.
type instruction struct{ stage, word, rest string }

func dockerfile(t *testing.T) []instruction {
	t.Helper()
	text, err := os.ReadFile("../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	var all []instruction
	stage := ""
	for l := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", " ")) {
		if l = strings.TrimSpace(l); l == "" || strings.HasPrefix(l, "#") {
			continue
		}
		word, rest, _ := strings.Cut(l, " ")
		if word == "FROM" {
			_, stage, _ = strings.Cut(rest, " AS ")
		}
		all = append(all, instruction{stage, word, rest})
	}
	return all
}

// of returns what stands behind word in a stage; "" is every stage.
func of(all []instruction, stage, word string) (found []string) {
	for _, i := range all {
		if i.word == word && (stage == "" || i.stage == stage) {
			found = append(found, i.rest)
		}
	}
	return found
}

// entrypoint is the program of a final image.
func entrypoint(t *testing.T, stage string) string {
	t.Helper()
	found := of(dockerfile(t), stage, "ENTRYPOINT")
	var words []string
	if len(found) != 1 || json.Unmarshal([]byte(found[0]), &words) != nil || len(words) != 1 {
		t.Fatalf("stage %s: entry point %q", stage, found)
	}
	return words[0]
}

func TestDockerfileBuildsAsMakeDoes(t *testing.T) {
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	all := dockerfile(t)
	var wanted []string
	for _, recipe := range regexp.MustCompile(`(?m)^\t(.*(?:build -trimpath -o \$\(BIN\)/ |npm ci).*)$`).FindAllStringSubmatch(string(makefile), -1) {
		line := strings.NewReplacer("$(GO)", "go", "$(BIN)", "bin").Replace(recipe[1])
		for part := range strings.SplitSeq(line, " && ") {
			if !strings.HasPrefix(part, "cd ") {
				wanted = append(wanted, part)
			}
		}
	}
	if len(wanted) != 3 {
		t.Fatalf("make builds with %q", wanted)
	}
	for _, command := range wanted {
		if !slices.Contains(of(all, "", "RUN"), command) {
			t.Errorf("make runs %q, the Dockerfile %q", command, of(all, "", "RUN"))
		}
	}
	if !strings.Contains(string(makefile), "export CGO_ENABLED := 0") || !slices.Contains(of(all, "build", "ENV"), "CGO_ENABLED=0") {
		t.Error("the programs are not static")
	}
	for _, from := range of(all, "", "FROM") {
		image, _, _ := strings.Cut(from, " ")
		if !pinned.MatchString(image) && image != "gcr.io/distroless/static-debian13:nonroot" { // which has no version but Debian's
			t.Errorf("image %s is not pinned", image)
		}
	}
}

// Each image holds its program, runs it as nobody, and has the folders that
// volumes cover.
func TestImagesHoldWhatTheServicesRun(t *testing.T) {
	all := dockerfile(t)
	made := strings.Join(of(all, "build", "RUN"), "\n")
	for name, s := range stack(t, demoEnv).Services {
		if !slices.Contains(ownImages, s.Image) {
			continue
		}
		stage := s.Build.Target
		if user := of(all, stage, "USER"); !slices.Equal(user, []string{s.User}) {
			t.Errorf("%s runs as %s, its image as %v", name, s.User, user)
		}
		var has []string
		for _, c := range of(all, stage, "COPY") {
			words := strings.Fields(c)
			if words[0] != "--from=build" {
				t.Errorf("stage %s: copies %s", stage, c)
				continue
			}
			program, isProgram := strings.CutPrefix(words[1], "/src/bin/")
			if _, err := os.Stat(filepath.Join("../cmd", program)); isProgram && err != nil || !isProgram && !strings.Contains(made, words[1]) {
				t.Errorf("stage %s: nothing makes %s", stage, words[1])
			}
			has = append(has, words[2])
		}
		if !slices.Contains(has, entrypoint(t, stage)) {
			t.Errorf("stage %s starts %s and holds %v", stage, entrypoint(t, stage), has)
		}
		for _, v := range s.Volumes {
			if v.Type == types.VolumeTypeVolume && !slices.Contains(has, v.Target) {
				t.Errorf("%s: the volume at %s would belong to root: the image has no such folder", name, v.Target)
			}
		}
	}
}

// What the build needs is sent to it.
func TestBuildContext(t *testing.T) {
	text, err := os.ReadFile("../.dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	ignored := func(path string) bool {
		for pattern := range strings.Lines(string(text)) {
			pattern = strings.TrimSpace(pattern)
			if deep, anywhere := strings.CutPrefix(pattern, "**/"); anywhere && slices.Contains(strings.Split(path, "/"), deep) ||
				pattern == path || strings.HasPrefix(path, pattern+"/") {
				return true
			}
		}
		return false
	}
	for _, secret := range []string{"deploy/secrets/mqtt.key", ".git/config"} {
		if !ignored(secret) {
			t.Errorf("%s gets into a layer", secret)
		}
	}
	for _, i := range dockerfile(t) {
		if words := strings.Fields(i.rest); i.word == "COPY" && !strings.HasPrefix(words[0], "--from") {
			for _, source := range words[:len(words)-1] {
				if _, err := os.Stat(filepath.Join("..", source)); err != nil || ignored(source) {
					t.Errorf("COPY %s: not sent to the build: %v", source, err)
				}
			}
		}
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", `{{if not .Standard}}{{$d := .Dir}}{{range .GoFiles}}{{$d}}/{{.}}
{{end}}{{range .EmbedFiles}}{{$d}}/{{.}}
{{end}}{{end}}`, "nirapod/cmd/...")
	files, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for file := range strings.Lines(string(files)) {
		path, ours := strings.CutPrefix(strings.TrimSpace(file), root+"/")
		if !ours || strings.HasPrefix(path, "dashboard/web/dist/") { // which the build makes
			continue
		}
		if checked++; ignored(path) {
			t.Errorf("%s is compiled and not sent to the build", path)
		}
	}
	if checked < 100 {
		t.Errorf("only %d files looked at", checked)
	}
}
