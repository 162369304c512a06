"""Which S3 operations moto really carries out.

For a sub-resource that it does not know moto does something else and answers 200: an object under
that name, a listing. Those operations answer 501 here.
"""

from __future__ import annotations

SUPPORTED = frozenset({
    "AbortMultipartUpload", "CompleteMultipartUpload", "CopyObject", "CreateBucket",
    "CreateMultipartUpload", "DeleteBucket", "DeleteBucketCors", "DeleteBucketEncryption",
    "DeleteBucketLifecycle", "DeleteBucketOwnershipControls", "DeleteBucketPolicy",
    "DeleteBucketReplication", "DeleteBucketTagging", "DeleteBucketWebsite", "DeleteObject",
    "DeleteObjectTagging", "DeleteObjects", "DeletePublicAccessBlock",
    "GetBucketAccelerateConfiguration", "GetBucketAcl", "GetBucketCors", "GetBucketEncryption",
    "GetBucketInventoryConfiguration", "GetBucketLifecycle", "GetBucketLifecycleConfiguration",
    "GetBucketLocation", "GetBucketLogging", "GetBucketNotification",
    "GetBucketNotificationConfiguration", "GetBucketOwnershipControls", "GetBucketPolicy",
    "GetBucketPolicyStatus", "GetBucketReplication", "GetBucketTagging", "GetBucketVersioning",
    "GetBucketWebsite", "GetObject", "GetObjectAcl", "GetObjectAttributes", "GetObjectLegalHold",
    "GetObjectLockConfiguration", "GetObjectTagging", "GetPublicAccessBlock", "HeadBucket",
    "HeadObject", "ListBucketInventoryConfigurations", "ListBuckets", "ListMultipartUploads",
    "ListObjectVersions", "ListObjects", "ListObjectsV2", "ListParts",
    "PutBucketAccelerateConfiguration", "PutBucketAcl", "PutBucketCors", "PutBucketEncryption",
    "PutBucketInventoryConfiguration", "PutBucketLifecycle", "PutBucketLifecycleConfiguration",
    "PutBucketLogging", "PutBucketNotification", "PutBucketNotificationConfiguration",
    "PutBucketOwnershipControls", "PutBucketPolicy", "PutBucketReplication", "PutBucketTagging",
    "PutBucketVersioning", "PutBucketWebsite", "PutObject", "PutObjectAcl", "PutObjectLegalHold",
    "PutObjectLockConfiguration", "PutObjectRetention", "PutObjectTagging",
    "PutPublicAccessBlock", "RestoreObject", "SelectObjectContent", "UploadPart",
    "UploadPartCopy",
})  # fmt: skip
