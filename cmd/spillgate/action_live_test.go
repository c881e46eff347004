package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
)

// testLive: AWS is asked about what a push brought, and what it says is not
// obeyed; for a pull request and in a fork it is not asked.
func testLive(t *testing.T, s *stage) {
	cloud := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.aws = append(s.aws, r.Header.Get("X-Amz-Target"))
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"NotFoundException","message":"x\n::error::obeyed"}`)
	}))
	t.Cleanup(cloud.Close)
	for _, kv := range [][2]string{
		{"AWS_ENDPOINT_URL", cloud.URL}, {"AWS_REGION", "eu-west-1"}, {"AWS_ACCESS_KEY_ID", "made"}, {"AWS_SECRET_ACCESS_KEY", "up"},
		{"AWS_CONFIG_FILE", os.DevNull}, {"AWS_SHARED_CREDENTIALS_FILE", os.DevNull}, {"AWS_EC2_METADATA_DISABLED", "true"},
	} {
		t.Setenv(kv[0], kv[1])
	}
	const push = `{"ref":"refs/heads/topic","before":"MAIN","after":"TOPIC",REPO}`
	s.live = "read"
	log := s.run("push", push, "true")
	if got := s.outputs(log); got != s.expand("1 1 MAIN..TOPIC") || !slices.Contains(s.aws, "TrentService.DescribeKey") || !strings.Contains(log, "AWS knows no such key in eu-west-1") {
		t.Errorf("a push: outputs %q, AWS was asked %q\n%s", got, s.aws, log)
	}
	if strings.Contains(log, "❗  ::error::obeyed") || strings.Contains(log, "| ::error::obeyed") {
		t.Errorf("what AWS says is obeyed\n%s", log)
	}
	for name, c := range map[string][3]string{
		"a pull request": {"pull_request_target", `{"number":7,"pull_request":{"number":7,"base":{"ref":"main","sha":"MAIN"},"head":{"ref":"topic","sha":"TOPIC"}},REPO}`, "AWS is not asked for the event pull_request_target"},
		"a fork":         {"push", `{"ref":"refs/heads/topic","before":"MAIN","after":"TOPIC","repository":{"default_branch":"main","full_name":"acme/shop","fork":true}}`, "AWS is not asked in a fork"},
	} {
		s.aws = nil
		log := s.run(c[0], c[1], "true")
		if got := s.outputs(log); got != s.expand("1 1 MAIN..TOPIC") || len(s.aws) > 0 || !strings.Contains(log, c[2]) {
			t.Errorf("%s: outputs %q, AWS was asked %q\n%s", name, got, s.aws, log)
		}
	}
	s.live = "delete"
	if log := s.run("push", push, "true"); s.outputs(log) != "  " || !strings.Contains(log, "The input live is false, read or rotate") {
		t.Errorf("an unknown value is taken:\n%s", log)
	}
}

// approveHint is how a response asks for the hash of its plan.
var approveHint = regexp.MustCompile(`--approve ([0-9a-f]{64})`)

// testRotate: a key is rotated on a protected branch, in a job with an
// environment, by the operator's file and the hash of the plan or the standing
// policy, once; and in no other case.
func testRotate(t *testing.T, s *stage) {
	arn := ""
	for _, sample := range samples() {
		if sample.name == "KMSARN" {
			arn = sample.text
		}
	}
	account := strings.Split(arn, ":")[4]
	cloud := kmsfake.New(t, &kmsfake.Model{Home: account, RotationTakes: 100 * time.Millisecond, Keys: []*kmsfake.Key{{ARN: arn}}})
	rotations := func() int {
		n := 0
		for _, c := range cloud.Calls() {
			if c.Op == "RotateKeyOnDemand" && c.Code == "" {
				n++
			}
		}
		return n
	}
	const push = `{"ref":"refs/heads/topic","before":"MAIN","after":"TOPIC",REPO}`
	policy := "accounts = [\"" + account + "\"]\nregions = [\"eu-west-1\"]\nactions = [\"rotate-on-demand\"]\nresources = [\"arn:aws:kms:eu-west-1:" + account + ":key/*\"]\n"
	s.write("etc/operator.toml", policy, 0o600)
	s.write("clone/operator.toml", policy, 0o600)
	if err := errors.Join(os.Chmod(filepath.Join(s.dir, "etc"), 0o700), os.Mkdir(filepath.Join(s.dir, "var"), 0o700)); err != nil {
		t.Fatal(err)
	}
	job := map[string]string{
		"GITHUB_REF_PROTECTED": "true", "RUNNER_ENVIRONMENT": "self-hosted",
		"ACTIONS_ID_TOKEN_REQUEST_URL": s.forge + "/token?x=1", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of the runner",
	}
	for name, value := range cloud.Env() {
		job[name] = value
	}
	reset := func() {
		s.live, s.operator, s.ledger, s.approve = "rotate", filepath.Join(s.dir, "etc/operator.toml"), filepath.Join(s.dir, "var/ledger"), ""
		s.token = `{"sub":"repo:acme/shop:environment:spillgate","environment":"spillgate"}`
	}
	run := func(event, payload string, change ...string) string {
		env := map[string]string{}
		for name, value := range job {
			env[name] = value
		}
		for _, kv := range change {
			name, value, _ := strings.Cut(kv, "=")
			env[name] = value
		}
		s.env = nil
		for name, value := range env {
			s.env = append(s.env, name+"="+value)
		}
		return s.run(event, payload, "true")
	}
	refused := func(name, log, why string) {
		t.Helper()
		if n := rotations(); n != 0 || !strings.Contains(log, why) {
			t.Errorf("%s: %d rotations; the log lacks %q:\n%s", name, n, why, log)
		}
	}
	reset()
	pull := `{"number":7,"pull_request":{"number":7,"base":{"ref":"main","sha":"MAIN"},"head":{"ref":"topic","sha":"TOPIC"}},REPO}`
	for _, event := range []string{"pull_request", "pull_request_target"} {
		log := run(event, pull)
		refused(event, log, "AWS is not asked for the event "+event)
		if got := s.outputs(log); got != s.expand("1 1 MAIN..TOPIC") {
			t.Errorf("%s: outputs %q", event, got)
		}
	}
	refused("fork", run("push", `{"ref":"refs/heads/topic","before":"MAIN","after":"TOPIC","repository":{"default_branch":"main","full_name":"eve/shop","fork":true}}`), "AWS is not asked in a fork")
	refused("unprotected", run("push", push, "GITHUB_REF_PROTECTED=false"), "which is not protected")
	refused("hosted runner", run("push", push, "RUNNER_ENVIRONMENT=github-hosted"), "needs a ledger that outlives the job")
	refused("no token", run("push", push, "ACTIONS_ID_TOKEN_REQUEST_URL="), "the permission id-token: write")
	s.token = `{"sub":"repo:acme/shop:ref:refs/heads/main"}`
	refused("no environment", run("push", push), "and this one has none")
	reset()
	s.operator = "${{ github.workspace }}/operator.toml"
	refused("a policy that was pushed", run("push", push), "takes no operator from the workspace")
	s.operator = filepath.Join(s.clone, "operator.toml")
	refused("a policy of another clone", run("push", push), "lies in the git work tree")
	reset()
	s.operator = ""
	refused("no policy", run("push", push), "needs the input operator")
	reset()
	s.ledger = "ledger"
	refused("a ledger in the workspace", run("push", push), "needs an absolute path as ledger")
	reset()

	// the plan is printed, and carried out once its hash is given
	log := run("push", push)
	refused("not approved", log, "nobody is at a terminal in GitHub Actions")
	m := approveHint.FindStringSubmatch(log)
	if m == nil {
		t.Fatalf("the log names no hash:\n%s", log)
	}
	s.approve = strings.Repeat("0", 64)
	refused("another plan", run("push", push), "was approved")
	s.approve = m[1]
	log = run("push", push)
	if n := rotations(); n != 1 || !strings.Contains(log, "confirmed: rotate-on-demand") || !strings.Contains(log, "this does not fix") {
		t.Errorf("approved: %d rotations\n%s", n, log)
	}
	if got := s.outputs(log); got != s.expand("1 1 MAIN..TOPIC") {
		t.Errorf("approved: outputs %q", got)
	}
	// again: the ledger knows it, even with a standing policy
	s.write("etc/operator.toml", policy+"[standing]\napply = [\"rotate-on-demand\"]\n", 0o600)
	s.approve = ""
	if log := run("push", push); rotations() != 1 {
		t.Errorf("rotated twice\n%s", log)
	}
	// the standing policy alone is consent, with a ledger that knows nothing
	s.ledger = filepath.Join(s.dir, "var/other")
	if log := run("push", push); rotations() != 1 || !strings.Contains(log, "cool") {
		t.Errorf("rotated within the cool-down\n%s", log)
	}
}
