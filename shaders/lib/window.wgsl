// The geometry of a window that slides over an image: convolution and pooling.

struct Window { in_h: i32, in_w: i32, out_h: u32, out_w: u32, kernel_h: u32, kernel_w: u32,
  stride_h: u32, stride_w: u32, pad_top: i32, pad_left: i32, dilation_h: u32, dilation_w: u32 }
