"""Answers in the manner of the classic sheet in Chinese: `np.dot`, a softmax of one's own."""

ANSWERS = {
    "rnn_cell_forward": '''\
def rnn_cell_forward(xt, a_prev, parameters):
    """RNN单元的一个时间步。"""
    Wax, Waa, Wya = parameters["Wax"], parameters["Waa"], parameters["Wya"]
    ba = parameters["ba"]
    by = parameters["by"]
    # 新的隐藏状态，公式(1)
    a_next = np.tanh(np.dot(Wax, xt) + np.dot(Waa, a_prev) + ba)
    # 预测，公式(2)：自己写softmax
    s = np.dot(Wya, a_next) + by
    yt_pred = np.exp(s) / np.sum(np.exp(s), axis=0, keepdims=True)
    # 反向传播要用的值
    cache = (a_next, a_prev, xt, parameters)
    return a_next, yt_pred, cache
''',
    "rnn_forward": '''\
def rnn_forward(x, a0, parameters):
    """RNN走过所有时间步。"""
    caches = []
    n_x, m, T_x = x.shape
    n_y, n_a = parameters["Wya"].shape
    a = np.zeros((n_a, m, T_x))
    y_pred = np.zeros((n_y, m, T_x))
    a_next = a0
    for t in range(T_x):
        # 一步一步更新隐藏状态，并保存起来
        a_next, yt_pred, cache = rnn_cell_forward(x[:, :, t], a_next, parameters)
        a[:, :, t] = a_next
        y_pred[:, :, t] = yt_pred
        caches.append(cache)
    caches = (caches, x)
    return a, y_pred, caches
''',
    "lstm_cell_forward": '''\
def lstm_cell_forward(xt, a_prev, c_prev, parameters):
    """LSTM单元的一个时间步。"""
    Wf, bf = parameters["Wf"], parameters["bf"]
    Wi, bi = parameters["Wi"], parameters["bi"]
    Wc, bc = parameters["Wc"], parameters["bc"]
    Wo, bo = parameters["Wo"], parameters["bo"]
    Wy, by = parameters["Wy"], parameters["by"]
    n_x, m = xt.shape
    n_y, n_a = Wy.shape
    # 把隐藏状态和输入叠在一起
    concat = np.concatenate((a_prev, xt), axis=0)
    # 遗忘门、输入门、候选值
    ft = sigmoid(np.dot(Wf, concat) + bf)
    it = sigmoid(np.dot(Wi, concat) + bi)
    cct = np.tanh(np.dot(Wc, concat) + bc)
    # 单元状态、输出门、隐藏状态
    c_next = ft * c_prev + it * cct
    ot = sigmoid(np.dot(Wo, concat) + bo)
    a_next = ot * np.tanh(c_next)
    # 预测
    s = np.dot(Wy, a_next) + by
    yt_pred = np.exp(s) / np.sum(np.exp(s), axis=0, keepdims=True)
    cache = (a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt, parameters)
    return a_next, c_next, yt_pred, cache
''',
    "lstm_forward": '''\
def lstm_forward(x, a0, parameters):
    """LSTM走过所有时间步。"""
    caches = []
    n_x, m, T_x = x.shape
    n_y, n_a = parameters["Wy"].shape
    a = np.zeros((n_a, m, T_x))
    c = np.zeros((n_a, m, T_x))
    y = np.zeros((n_y, m, T_x))
    a_next = a0
    c_next = np.zeros((n_a, m))
    for t in range(T_x):
        a_next, c_next, yt_pred, cache = lstm_cell_forward(x[:, :, t], a_next, c_next, parameters)
        a[:, :, t] = a_next
        y[:, :, t] = yt_pred
        c[:, :, t] = c_next
        caches.append(cache)
    caches = (caches, x)
    return a, y, c, caches
''',
}
