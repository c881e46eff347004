# The server on ECS Fargate: one task, whose queue and mirrors lie on an
# encrypted file system, so that a task that dies is replaced by one that knows
# all that was accepted. TLS and the public address are the load balancer's,
# which is not made here.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.47"
    }
  }
}

data "aws_region" "current" {}

locals {
  port = 8080
  data = "/var/lib/spillgate"
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/spillgate/${var.name}"
  retention_in_days = 90
  kms_key_id        = var.key_arn
  tags              = var.tags
}

resource "aws_efs_file_system" "this" {
  encrypted  = true
  kms_key_id = var.key_arn
  tags       = merge(var.tags, { Name = var.name })
}

resource "aws_efs_mount_target" "this" {
  for_each = toset(var.subnet_ids)

  file_system_id  = aws_efs_file_system.this.id
  subnet_id       = each.value
  security_groups = [aws_security_group.files.id]
}

resource "aws_efs_access_point" "this" {
  file_system_id = aws_efs_file_system.this.id
  tags           = var.tags

  posix_user {
    uid = 65532
    gid = 65532
  }

  root_directory {
    path = "/spillgate"

    creation_info {
      owner_uid   = 65532
      owner_gid   = 65532
      permissions = "0700"
    }
  }
}

resource "aws_security_group" "server" {
  name        = "${var.name}-server"
  description = "The server: in from the load balancer, out to code hosts and AWS"
  vpc_id      = var.vpc_id
  tags        = var.tags
}

resource "aws_vpc_security_group_ingress_rule" "balancer" {
  security_group_id            = aws_security_group.server.id
  referenced_security_group_id = var.load_balancer_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
  description                  = "Webhooks and pages"
}

resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.server.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  description       = "Code hosts, AWS, notifications"
}

resource "aws_vpc_security_group_egress_rule" "files" {
  security_group_id            = aws_security_group.server.id
  referenced_security_group_id = aws_security_group.files.id
  ip_protocol                  = "tcp"
  from_port                    = 2049
  to_port                      = 2049
  description                  = "Queue and mirrors"
}

resource "aws_security_group" "files" {
  name        = "${var.name}-files"
  description = "The file system: in from the server alone"
  vpc_id      = var.vpc_id
  tags        = var.tags
}

resource "aws_vpc_security_group_ingress_rule" "files" {
  security_group_id            = aws_security_group.files.id
  referenced_security_group_id = aws_security_group.server.id
  ip_protocol                  = "tcp"
  from_port                    = 2049
  to_port                      = 2049
  description                  = "NFS"
}

resource "aws_ecs_cluster" "this" {
  name = var.name
  tags = var.tags
}

resource "aws_ecs_task_definition" "this" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  tags                     = var.tags

  volume {
    name = "data"

    efs_volume_configuration {
      file_system_id     = aws_efs_file_system.this.id
      transit_encryption = "ENABLED"

      authorization_config {
        access_point_id = aws_efs_access_point.this.id
        iam             = "ENABLED"
      }
    }
  }

  volume {
    name = "tmp"
  }

  container_definitions = jsonencode([{
    name                   = "spillgate-server"
    image                  = var.image
    essential              = true
    user                   = "65532:65532"
    readonlyRootFilesystem = true
    command                = ["serve", "--config", "${local.data}/server.toml"]
    stopTimeout            = 60
    portMappings           = [{ containerPort = local.port, protocol = "tcp" }]
    secrets                = [for name, arn in var.secrets : { name = name, valueFrom = arn }]

    mountPoints = [
      { sourceVolume = "data", containerPath = local.data, readOnly = false },
      { sourceVolume = "tmp", containerPath = "/tmp", readOnly = false },
    ]

    linuxParameters = {
      initProcessEnabled = true
      capabilities       = { drop = ["ALL"] }
    }

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = aws_cloudwatch_log_group.this.name
        "awslogs-region"        = data.aws_region.current.name
        "awslogs-stream-prefix" = "server"
      }
    }
  }])
}

# Never two tasks at a time: the embedded queue has one owner.
resource "aws_ecs_service" "this" {
  name                               = var.name
  cluster                            = aws_ecs_cluster.this.id
  task_definition                    = aws_ecs_task_definition.this.arn
  desired_count                      = 1
  launch_type                        = "FARGATE"
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100
  health_check_grace_period_seconds  = 60
  tags                               = var.tags

  network_configuration {
    subnets         = var.subnet_ids
    security_groups = [aws_security_group.server.id]
  }

  load_balancer {
    target_group_arn = var.target_group_arn
    container_name   = "spillgate-server"
    container_port   = local.port
  }

  depends_on = [aws_efs_mount_target.this]
}
