package history

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
)

// A Dense is a history of one file, every version of which holds the same things
// to look at again: findings, as tests of code for AWS have and documents with
// examples, or declarations of keys.
type Dense struct {
	Name string // what a version has in it
	path string
	head string // what the file begins with
	// units is how many texts follow, one in every of which is made by held and
	// stays as it is; 0 is none. The others are made by other.
	units, every int
	held         func(i int) string
	other        func(g *rand.Rand, i int) string
}

// DenseVersions is the number of versions. From each to the next three units
// change, none of them one that holds something.
const DenseVersions = 2000

// DenseKinds lists the histories that Make of a Dense can make.
func DenseKinds() []Dense {
	code := func(name string, every int, held func(int) string) Dense {
		return Dense{Name: name, path: "src/file.py", units: 1500, every: every, held: held, other: func(g *rand.Rand, i int) string {
			return fmt.Sprintf("    value_%d = compute(%d, \"%06x\", options[%d])\n", i, g.IntN(1000), g.IntN(1<<24), i%7)
		}}
	}
	return []Dense{
		code("nothing to be found", 0, nil),
		code("300 ARNs", 5, func(i int) string {
			return fmt.Sprintf("    role = \"arn:aws:iam::471938265017:role/service-%x\"\n", i*7919)
		}),
		code("75 example keys", 20, func(i int) string {
			return fmt.Sprintf("    client = Client(access_key=\"AKIA"+"IOSFODNN7EXAMPLE\", n=%d)\n", i)
		}),
		code("75 tokens", 20, func(i int) string {
			return string(NewPlant(7, len(plantKinds)*i+1).Text())
		}),
		{Name: "two KMS keys in Terraform", path: "main.tf", head: "variable \"prefix\" { default = \"x\" }\n", units: 60, every: 30, held: terraformKey, other: terraformBucket},
		{Name: "two KMS keys in CloudFormation", path: "stack.yaml", head: "Parameters:\n  Prefix: {Type: String}\nResources:\n", units: 60, every: 30, held: templateKey, other: templateBucket},
	}
}

func terraformKey(i int) string {
	return fmt.Sprintf(`resource "aws_kms_key" "k%d" {
  description             = "key %d of ${var.prefix}"
  deletion_window_in_days = 30
  enable_key_rotation     = true
  policy = jsonencode({
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.current.account_id}:root" }
      Action    = "kms:*"
      Resource  = "*"
    }]
  })
}

`, i, i)
}

func terraformBucket(g *rand.Rand, i int) string {
	return fmt.Sprintf(`resource "aws_s3_bucket" "b%d" {
  bucket = "${var.prefix}-%d"
  tags   = { Name = "bucket %d" }
  lifecycle_rule {
    enabled = true
    expiration { days = %d }
  }
}

`, i, g.IntN(10_000), i, g.IntN(1000))
}

func templateKey(i int) string {
	return fmt.Sprintf(`  Key%d:
    Type: AWS::KMS::Key
    Properties:
      Description: !Sub "key %d of ${Prefix}"
      EnableKeyRotation: true
      KeyPolicy:
        Statement:
          - Effect: Allow
            Principal: {AWS: !Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
            Action: kms:*
            Resource: "*"
`, i, i)
}

func templateBucket(g *rand.Rand, i int) string {
	return fmt.Sprintf(`  Bucket%d:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Sub "${Prefix}-%d"
      LifecycleConfiguration:
        Rules:
          - Status: Enabled
            ExpirationInDays: %d
`, i, g.IntN(10_000), 1+g.IntN(1000))
}

// Make makes the history in dir, which must not exist.
func (d Dense) Make(ctx context.Context, dir string) error { return d.make(ctx, dir, DenseVersions) }

func (d Dense) make(ctx context.Context, dir string, versions int) error {
	g := rand.New(rand.NewPCG(1, uint64(d.every)))
	holds := func(i int) bool { return d.every > 0 && i%d.every == 0 }
	units := make([]string, d.units)
	write := func(i int) {
		if holds(i) {
			units[i] = d.held(i)
		} else {
			units[i] = d.other(g, i)
		}
	}
	for i := range units {
		write(i)
	}
	return fastImport(ctx, dir, func(s *stream) {
		mark := 0
		for v := range versions {
			for range 3 {
				if i := g.IntN(d.units); !holds(i) {
					write(i)
				}
			}
			h := header{ref: "refs/heads/main", author: person{"A", "a@example.com"}, committer: person{"A", "a@example.com"}, when: 1700000000 + 60*int64(v), message: "x"}
			if v > 0 {
				h.parents = []int{mark}
			}
			mark = s.commit(h)
			s.modify(d.path, &file{mode: modeFile, data: []byte(d.head + strings.Join(units, ""))})
		}
	})
}
